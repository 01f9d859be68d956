/** The checks of `smoke`, tried with servers that break a promise each: what is said must name exactly that. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checks } from '../../product/smoke/checks.ts';
import { program } from '../../scripts/program/program.ts';
import type { Check } from '../../scripts/smoke/checks.ts';
import { type Tried, trySession } from '../../scripts/smoke/session.ts';
import { setTraps } from '../../scripts/smoke/traps.ts';

const isLinux = process.platform === 'linux';
const folders: string[] = [];
afterAll(() => folders.map((folder) => rmSync(folder, { recursive: true, force: true })));

const script = path.join(import.meta.dirname, 'broken-server.mjs');

async function tried(fault: string, timeoutMs: number): Promise<Tried> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'vrypt-smoke-'));
  folders.push(cwd);
  const traps = await setTraps(cwd, cwd);
  // An ordinary Node would fall into these itself.
  const { OPENSSL_ENGINES } = traps.env;
  const env = { OPENSSL_ENGINES } as Tried['traps']['env'];
  return { command: [process.execPath, script, fault], cwd, timeoutMs, isEmulated: false, traps: { ...traps, env } };
}

/** Of the checks whose sentence has one of the words. */
async function faultsWith(fault: string, words: readonly string[], timeoutMs = 20_000): Promise<string[]> {
  const chosen = (list: readonly Check[]) =>
    list.filter(({ sentence }) => words.some((word) => sentence.includes(word)));
  const { asked, alone, last } = checks;
  const some = { asked: chosen(asked), alone: chosen(alone), last: chosen(last) };
  const build = { version: '1.0', commit: 'abc', target: 'here', runtime: 'f00', node: process.versions.node };
  const [smoke] = program.smoke;
  if (smoke === undefined) throw new Error('the description has no session');
  return (await trySession(await tried(fault, timeoutMs), build, some, smoke)).faults;
}

interface Planted {
  readonly fault: string;
  readonly words: readonly string[];
  readonly said: RegExp;
  readonly timeoutMs?: number;
}

const planted: readonly Planted[] = [
  {
    fault: 'head',
    words: ['HEAD'],
    said: /^answers HEAD .*: it must send no content after the head of HEAD, got "Vrypt"$/,
  },
  {
    fault: 'silent',
    words: ['to GET'],
    said: /^answers Vrypt to GET.*: it must answer and close the connection within 5000 ms, it sent nothing$/,
    timeoutMs: 5000,
  },
  {
    fault: 'deaf',
    words: ['SIGINT'],
    said: /^ends with exit code 0 at SIGINT: it must end within 5000 ms after SIGINT, it did not$/,
    timeoutMs: 5000,
  },
  {
    fault: 'stubborn',
    words: ['SIGINT'],
    said: /: it must end within 5000 ms after SIGINT, it did not$/,
    timeoutMs: 5000,
  },
  { fault: 'code', words: ['SIGINT'], said: /^ends with exit code 0 at SIGINT: the exit code must be "0", got "3"$/ },
  {
    fault: 'second',
    words: ['second signal'],
    said: /^ends at once at the second .*: it must end within 5000 ms after the second SIGTERM, it did not$/,
    timeoutMs: 5000,
  },
  { fault: 'delay', words: ['--drain-delay'], said: /^keeps accepting for --drain-delay.*: .*ECONNREFUSED/ },
  { fault: 'loopback', words: ['prints where'], said: /: it must listen on every address, got 127\.0\.0\.1$/ },
  { fault: 'workers', words: ['prints where'], said: /: it must listen 2 times on \d+, got \d+$/ },
  {
    fault: 'refusals',
    words: ['refuses what'],
    said: /: "GET \/ HTTP\/1\.1\\r\\n\\r\\n" must be refused with 400, got 200$/,
  },
  { fault: 'mortal', words: ['requests'], said: /^answers 1000 requests .*: it must answer 1000 requests, / },
  {
    fault: 'leak',
    words: ['requests'],
    said: /: its memory must grow by at most 64 MiB, got \d+ MiB in \d+ requests$/,
  },
  {
    fault: 'busy',
    words: ['nobody asks'],
    said: /^does nothing while nobody asks: it must want at most 30 % of a CPU while idle, got \d+ %$/,
  },
  { fault: 'file', words: ['to GET'], said: /^writes no files: it must leave its folder as it was, got trace\.txt$/ },
  { fault: 'traps', words: ['every variable'], said: /: it must leave no files behind, got engines$/ },
  { fault: 'chatty', words: ['two lines', 'nobody asks'], said: /: it must print two lines, got ".*still here.*"$/ },
  { fault: 'lines', words: ['two lines'], said: /: the first line must be .*, got "welcome/ },
  { fault: 'field', words: ['to GET'], said: /: it must send only the fields .*, got Server: mine$/ },
  { fault: 'content', words: ['to GET'], said: /: the content must be "Vrypt", got "Hello"$/ },
  { fault: 'date', words: ['to GET'], said: /: the field Date must be the time, .*, got / },
  {
    fault: 'commit',
    words: ['(--version)'],
    said: /: the version must be "1\.0 \(abc\)\\n", got "1\.0 \(ffffffffffff\)\\n"$/,
  },
  { fault: 'commit', words: ['--version --json'], said: /: --version --json must say commit abc, got ffffffffffff$/ },
  { fault: 'help', words: ['--help'], said: /: its help must name --port, --host, .*, got "Usage/ },
  { fault: 'healthcheck', words: ['healthcheck'], said: /: the exit code must be 1, got 0/ },
  { fault: 'debugger', words: ['SIGUSR1'], said: /: it must listen only on \d+, got \d+$/ },
  { fault: 'port', words: ['-H ::'], said: /: its line must name the port \d+, got \d+$/ },
  {
    fault: 'statsd',
    words: ['-H ::'],
    said: /: it must send numbers to --statsd within 5000 ms, it sent none$/,
    timeoutMs: 5000,
  },
  {
    fault: 'text',
    words: ['--text'],
    said: /: the field Content-Length must be 5, got 5|: the content must be "hello", got "Vrypt"$/,
  },
  // On nobody's list.
  { fault: 'status', words: ['to GET'], said: /: the status line must be HTTP\/1\.1 200 OK, got "HTTP\/1\.1 204 No/ },
  {
    fault: 'reason',
    words: ['to GET'],
    said: /: the status line must be HTTP\/1\.1 200 OK, got "HTTP\/1\.1 200 Fine"$/,
  },
  { fault: 'type', words: ['to GET'], said: /: the field Content-Type must be text\/plain, got text\/html$/ },
  { fault: 'chunked', words: ['to GET'], said: /: the field Content-Length must be 5, got none$/ },
  { fault: 'twice', words: ['to GET'], said: /: the field Content-Length must be 5, got 5 and 5$/ },
  { fault: 'length', words: ['to GET'], said: /: the field Content-Length must be 5, got 6$/ },
  { fault: 'undated', words: ['to GET'], said: /: the field Date must be the time, .*, got none$/ },
  { fault: 'iso', words: ['to GET'], said: /: the field Date must be the time, .*, got \d{4}-/ },
  { fault: 'cookie', words: ['to GET'], said: /: it must send only the fields .*, got Set-Cookie: a=b$/ },
  { fault: 'lf', words: ['to GET'], said: /: it must answer with a head, got "HTTP/ },
  { fault: 'tail', words: ['to GET'], said: /: the content must be "Vrypt", got "Vrypt\\n"$/ },
  { fault: 'mute', words: ['to POST'], said: /^answers Vrypt to POST.*: the content must be "Vrypt", got ""$/ },
  { fault: 'pipeline', words: ['pipelined'], said: /pipelined.*: it must /, timeoutMs: 5000 },
  { fault: 'impatient', words: ['second request of curl'], said: /: curl must print .*, got "Vrypt 1\\nVrypt 1\\n/ },
  {
    fault: 'persistent',
    words: ['HTTP/1.0'],
    said: /^answers HTTP\/1\.0 and closes: it must answer and close the connection within 5000 ms, it sent "HTTP/,
    timeoutMs: 5000,
  },
  { fault: 'ipv4', words: ['prints where'], said: /: it must listen on every address, got only IPv4's$/ },
  { fault: 'name', words: ['--version --json'], said: /: --version --json must say name vrypt-server, got another$/ },
  { fault: 'runtime', words: ['--version --json'], said: /: --version --json must say runtime f00, got bad$/ },
  { fault: 'second port', words: ['prints where'], said: /: it must listen 1 times on \d+, got \d+, \d+$/ },
  {
    fault: 'descriptors',
    words: ['requests'],
    said: /: its open files must grow by at most 16, got \d+ in 1000 requests$/,
  },
  { fault: 'stderr', words: ['two lines', 'pipelined'], said: /: standard error must be "", got "deprecated\\n"$/ },
  { fault: 'late file', words: ['two lines'], said: /: it must leave its folder as it was, got trace\.txt$/ },
];

test.runIf(isLinux).each(planted)('$fault is found: $words', async ({ fault, words, said, timeoutMs }) => {
  expect(await faultsWith(fault, words, timeoutMs)).toEqual([expect.stringMatching(said)]);
});

test.runIf(isLinux)('a server that keeps its promises has no fault', async () => {
  const words = ['GET', 'HEAD', 'SIGINT', 'second signal', '--drain-delay', 'prints where', 'refuses what', 'requests'];
  expect(await faultsWith('none', [...words, 'nobody asks', 'two lines', '--text', '--unix', '--version'])).toEqual([]);
});
