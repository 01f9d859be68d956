/**
 * `npm run programs:compare`: the same programs as one file by pkg and by Bun, as far as npm has what these need, tried on this
 * machine where the project's folder is out of sight. `--commit` writes the figures to `compared.json`.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { build, root } from '../../scripts/support/checkout.ts';
import { command } from '../../scripts/support/command.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { say } from '../../scripts/support/progress.ts';
import { fromNpm } from '../bench/fetch.ts';
import { BUN } from '../bench/peers.ts';
import { median } from '../bench/results.ts';
import { freePort } from '../web/free-port.ts';
import { installToolchain, prepare, toolchain } from './folders.ts';
import type { TriedProgram } from './program.ts';
import { programs } from './programs.ts';
import type { Compared } from './result.ts';

/** A server each with few and many modules, commands, threads, files beside the code, and what Node has built in. */
const COMPARED = [
  'express-hello',
  'hono-hello',
  'nest-hello',
  'express-views',
  'yargs-cli',
  'prettier-cli',
  'sqlite-builtin',
  'threads',
  'pino-transport',
  'piscina-pool',
];
const STARTS = 7;
const PATIENCE_MS = 20_000;
const resultsFile = path.join(root, 'test/programs/compared.json');
const TARGET = 'x86_64-unknown-linux-gnu';

interface Trial {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ask?: readonly { path?: string; content?: string; contains?: string; method?: string }[];
  readonly prints?: readonly string[];
}

/** Makes the executable of the project in `folder` as `out`; what it says if it cannot. */
type Maker = (folder: string, entry: string, out: string, program: TriedProgram) => string | null;

const makers: Readonly<Record<string, Maker>> = {
  'vrypt-release': (folder, _entry, out, { name }) => {
    const release = path.join(toolchain, 'node_modules/.bin/vrypt-release');
    const env = { ...process.env, VRYPT_RUNTIMES: path.join(root, 'runtimes') };
    const where = path.join(folder, 'release');
    const fault = run([release, 'release', '--target', TARGET, '--out', where], folder, env);
    if (fault !== null) return fault;
    const member = `${name}-v1.0.0-${TARGET}`;
    const unpacking = ['tar', '-xzf', `${member}.tar.gz`, '--strip-components=1', `${member}/${name}`];
    return run(unpacking, where) ?? move(path.join(where, name), out);
  },
  pkg: (folder, _entry, out) => {
    // It takes a Node that it has fetched before from here, and asks nodejs.org for any other.
    const home = path.join(build, 'programs/.pkg');
    const node = path.join(home, `.pkg-cache/sea/node-${process.version}-linux-x64`);
    if (!existsSync(`${node}.ok`)) {
      mkdirSync(path.join(node, 'bin'), { recursive: true });
      copyFileSync(process.execPath, path.join(node, 'bin/node'));
      for (const file of ['.tar.gz', '.tar.gz.ok', '/bin/node.ok', '.ok']) writeFileSync(`${node}${file}`, '');
    }
    const target = `node${process.versions.node}-linux-x64`;
    const pkg = path.join(root, 'node_modules/.bin/pkg');
    return run([pkg, '--sea', '-t', target, '-o', out, '.'], folder, { ...process.env, HOME: home });
  },
  bun: (folder, entry, out) => {
    const modules = path.join(build, 'bench/npm', `bun-${BUN}`, 'node_modules');
    const bun = path.join(modules, '@oven/bun-linux-x64/bin/bun');
    return run([bun, 'build', '--compile', '--target=bun-linux-x64', entry, '--outfile', out], folder);
  },
};

await command(
  {
    about: 'Makes the same programs with this toolchain, pkg and Bun, and compares size and start.',
    positionals: 'programs',
    options: [{ name: 'commit', help: 'write the figures to test/programs/compared.json' }],
  },
  async (given) => {
    await fromNpm('bun', BUN);
    installToolchain();
    const names = given.positionals.length > 0 ? given.positionals : COMPARED;
    const results: Compared[] = [];
    for (const program of programs.filter(({ name }) => names.includes(name))) {
      const folder = prepare(program);
      const { entry = '', smoke } = program.description as { entry?: string; smoke: Trial | readonly Trial[] };
      const [trial = {}] = [smoke].flat() as readonly Trial[];
      // pkg reads it from package.json.
      const main = entry === '' ? path.normalize(String(program.manifest?.['bin'])) : entry;
      setMain(folder, main);
      for (const [peer, make] of Object.entries(makers)) {
        const result = await compare(program, peer, (out) => make(folder, main, out, program), folder, trial);
        say(
          `${result.program.padEnd(16)} ${result.peer.padEnd(14)} ${result.fault ?? `${result.bytes} bytes, ${result.startMs} ms`}`,
        );
        results.push(result);
      }
    }
    if (given.has('commit')) writeFileSync(resultsFile, `${JSON.stringify(results, null, 2)}\n`);
  },
);

function setMain(folder: string, main: string): void {
  const file = path.join(folder, 'package.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), main, bin: main }, null, 2));
}

async function compare(
  { name: program }: TriedProgram,
  peer: string,
  make: (out: string) => string | null,
  folder: string,
  trial: Trial,
): Promise<Compared> {
  const place = mkdtempSync(path.join(tmpdir(), 'vrypt-compare-'));
  const out = path.join(place, program);
  const hidden = `${folder}.hidden`;
  try {
    const fault = make(out);
    if (fault !== null) return { program, peer, fault };
    // Whatever it needs of the project must be inside.
    renameSync(folder, hidden);
    const starts: number[] = [];
    for (let n = 0; n < STARTS; n++) starts.push(await start(out, place, trial));
    return { program, peer, bytes: statSync(out).size, startMs: Math.round(median(starts)) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { program, peer, fault: error.message };
  } finally {
    if (existsSync(hidden)) renameSync(hidden, folder);
    rmSync(place, { recursive: true });
  }
}

/** Milliseconds until it has answered or printed what it must. */
async function start(file: string, cwd: string, trial: Trial): Promise<number> {
  const { args = [], env = {}, ask: [asked] = [], prints = [] } = trial;
  const port = String(await freePort());
  const filled = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace('{port}', port)]));
  const begin = performance.now();
  const child = spawn(file, [...args], { cwd, env: { ...process.env, ...filled }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (said += piece.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    if (asked === undefined) {
      await Promise.race([ended, pause(PATIENCE_MS)]);
      const took = performance.now() - begin;
      if (prints.every((text) => said.includes(text))) return took;
      throw new Failure(firstFault(said));
    }
    while (child.exitCode === null && performance.now() - begin < PATIENCE_MS) {
      const text = await textAt(`http://127.0.0.1:${port}${asked.path ?? '/'}`);
      const { content, contains } = asked;
      if (text !== null && (content === undefined || text === content) && text.includes(contains ?? ''))
        return performance.now() - begin;
      await pause(2);
    }
    throw new Failure(firstFault(said));
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

async function textAt(url: string): Promise<string | null> {
  try {
    return await (await fetch(url)).text();
  } catch {
    return null;
  }
}

function run(
  [file = '', ...args]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): string | null {
  const { status, stdout, stderr } = spawnSync(file, args, { cwd, env, encoding: 'utf8' });
  return status === 0 ? null : firstFault(`${stderr}\n${stdout}`);
}

function move(from: string, to: string): null {
  copyFileSync(from, to);
  rmSync(from);
  return null;
}

function firstFault(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? lines.find((line) => line !== '') ?? 'says nothing';
}
