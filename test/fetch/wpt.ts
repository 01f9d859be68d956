/**
 * `npm run wpt -- --wpt <folder> [filter]`: the web platform's tests of fetch's objects, run against Node's classes and
 * against ours. Ours must pass every subtest that Node's pass, otherwise the exit code is 1. The folder is a checkout of
 * https://github.com/web-platform-tests/wpt, which is not part of this repository.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../bench/table.ts';

const SUBJECT = path.join(import.meta.dirname, 'wpt-subject.ts');
const FOLDERS = ['abort', 'body', 'headers', 'idlharness.any.js', 'request', 'response'];
const TIMEOUT_MS = 60_000;

/** Subtest → passed, as the subject prints it. */
type Outcome = Readonly<Record<string, boolean>>;

/** Files without their server: tests that need the suite's Python handlers fail for both. */
function serveFolder(folder: string): Promise<{ base: string; close(): void }> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = path.join(folder, path.normalize(pathname));
    const content = existsSync(file) ? await readFile(file).catch(() => null) : null;
    response.statusCode = content === null ? 404 : 200;
    response.end(content ?? '');
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const close = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ base: `http://127.0.0.1:${port}`, close });
    });
  });
}

/** One process per file: tests change globals. */
function run(folder: string, file: string, whose: string, base: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [SUBJECT, folder, file, whose, base], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.on('close', () => {
      clearTimeout(timer);
      const results = text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line): { name: string; isPassed: boolean } => JSON.parse(line));
      resolve(Object.fromEntries(results.map(({ name, isPassed }) => [name, isPassed])));
    });
  });
}

function filesIn(folder: string): string[] {
  return FOLDERS.map((name) => path.join('fetch/api', name))
    .filter((name) => existsSync(path.join(folder, name)))
    .flatMap((name) =>
      name.endsWith('.js')
        ? [name]
        : readdirSync(path.join(folder, name), { recursive: true, encoding: 'utf8' }).map((file) =>
            path.join(name, file),
          ),
    )
    .filter((file) => file.endsWith('.any.js') || file.endsWith('-any.js'))
    .sort();
}

const { values, positionals } = parseArgs({ options: { wpt: { type: 'string' } }, allowPositionals: true });
if (values.wpt === undefined || !existsSync(path.join(values.wpt, 'resources/testharness.js'))) {
  process.stderr.write(
    `--wpt must be a checkout of the web platform's tests, got ${JSON.stringify(values.wpt ?? '')}\n`,
  );
  process.exit(2);
}
const folder = path.resolve(values.wpt);
const server = await serveFolder(folder);
const rows: string[][] = [];
const lost: string[] = [];
const sum = { nodes: 0, ours: 0, all: 0 };
for (const file of filesIn(folder).filter((name) => name.includes(positionals[0] ?? ''))) {
  const nodes = await run(folder, file, 'nodes', server.base);
  const ours = await run(folder, file, 'ours', server.base);
  const names = new Set([...Object.keys(nodes), ...Object.keys(ours)]);
  const count = (outcome: Outcome) => Object.values(outcome).filter(Boolean).length;
  rows.push([file, String(names.size), String(count(nodes)), String(count(ours))]);
  lost.push(
    ...[...names].filter((name) => nodes[name] === true && ours[name] !== true).map((name) => `${file}: ${name}`),
  );
  sum.all += names.size;
  sum.nodes += count(nodes);
  sum.ours += count(ours);
}
server.close();
rows.push(['all', String(sum.all), String(sum.nodes), String(sum.ours)]);
process.stdout.write(`${table(['file', 'subtests', "Node's pass", 'ours pass'], rows)}\n`);
for (const name of lost) process.stdout.write(`Node's passes, ours does not: ${name}\n`);
process.exitCode = lost.length === 0 && sum.nodes > 0 ? 0 : 1;
