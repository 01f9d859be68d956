import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RawClient } from '../engine/raw-client.ts';
import { ServerProcess } from './server-process.ts';

const APP = `import { reply } from 'vrypt-server';
import { name } from 'a-package';
import { version } from './version.mjs';
export default {
  start: ({ index, count }) => ({ place: index + ' of ' + count }),
  handle: (call) => (call.path === '/fast' ? reply(200, {}, name + ' ' + version + ' ' + call.state.place) : undefined),
  fetch: (request) => new Response('fetch ' + new URL(request.url).pathname),
};`;

function program(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

const FILES = {
  'app.mjs': APP,
  'version.mjs': `export const version = 'one';`,
  'node_modules/a-package/package.json': '{ "name": "a-package", "type": "module", "exports": "./index.js" }',
  'node_modules/a-package/index.js': `export const name = 'packaged';`,
};

async function start(folder: string, ...args: string[]) {
  const server = await ServerProcess.start(['run', path.join(folder, 'app.mjs'), '0', '-H', '127.0.0.1', ...args]);
  onTestFinished(async () => {
    await server.kill();
  });
  const ask = async (target: string) => {
    const client = await RawClient.connect(server.port);
    const { body } = await client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`).response();
    client.close();
    return body;
  };
  return { server, ask };
}

test.each([[[]], [['--workers', '2']], [['--worker', '2']]])(
  'a program is served with %j: its packages, the library inside, state of each worker',
  async (args) => {
    const { server, ask } = await start(program(FILES), ...args);
    const count = args.length === 0 ? 1 : 2;
    const wanted = Array.from({ length: count }, (_, index) => `packaged one ${index} of ${count}`);
    const seen = new Set<string>();
    while (seen.size < count) seen.add(await ask('/fast'));
    expect([...seen].sort()).toEqual(wanted);
    expect(await ask('/other')).toBe('fetch /other');
    expect((await server.stop()).code).toBe(0);
  },
);

test('--watch loads the program again when a file changes, and keeps the old one if the new one is broken', async () => {
  const folder = program(FILES);
  const { server, ask } = await start(folder, '--watch');
  expect(await ask('/fast')).toContain('packaged one');
  writeFileSync(path.join(folder, 'version.mjs'), `export const version = ;`);
  while (!server.stderr.includes('SyntaxError')) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await ask('/fast')).toContain('packaged one');
  writeFileSync(path.join(folder, 'version.mjs'), `export const version = 'two';`);
  await server.printed('loaded the program again');
  expect(await ask('/fast')).toContain('packaged two');
});

test.each([
  [
    'export default 1;',
    /^vrypt-server: the default export of \S+app\.mjs must be an object with fetch, handle or routes\n$/,
  ],
  [
    'const a = 1;\nthrow new Error("its own,\\n  in two lines");',
    /^vrypt-server: \S+app\.mjs cannot be loaded: Error: its own, in two lines \(\S+app\.mjs:2\); VRYPT_STACK=1 shows the stack\n$/,
  ],
  [
    'Promise.reject(new Error("forgotten")); export default { fetch() {} };',
    /^vrypt-server: \S+app\.mjs cannot be loaded: Error: forgotten \(\S+app\.mjs:1\); VRYPT_STACK=1 shows the stack\n$/,
  ],
  [
    'export default { fetch: 1 };',
    /^vrypt-server: the default export of \S+app\.mjs: fetch must be a function, got 1\n$/,
  ],
  [
    'export default { fetch() {}, onError() {} };',
    /^vrypt-server: the default export of \S+app\.mjs: onError is not an option, got a function; .*\n$/,
  ],
  ['export default {,};', /^vrypt-server: \S+app\.mjs cannot be loaded: SyntaxError: .*; VRYPT_STACK=1 .*\n$/],
  ['await Promise.reject(7);', /^vrypt-server: \S+app\.mjs cannot be loaded: 7\n$/],
])('what cannot be served is said in one line: %s', async (text, message) => {
  const folder = program({ 'app.mjs': text });
  for (const isolation of ['thread', 'process']) {
    const args = ['run', path.join(folder, 'app.mjs'), '0', '--isolation', isolation];
    const { code, stderr } = await new ServerProcess(args).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(message) });
  }
});

test('options in a program that the command line has count for nothing, which is said once', async () => {
  const text =
    'export default { port: 1, limits: { idleMs: 5 }, trustProxy: false, fetch: () => new Response("served") };';
  const { server, ask } = await start(program({ 'app.mjs': text }), '--workers', '2');
  expect(await ask('/')).toBe('served');
  expect((await server.stop()).code).toBe(0);
  expect(server.stderr).toMatch(
    /^vrypt-server: run takes options from the command line alone, and not from \S+app\.mjs: port, limits\n$/,
  );
});

test('VRYPT_STACK shows where in the program it fails', async () => {
  const folder = program({ 'app.mjs': 'function open() { throw new Error("its own"); }\nopen();' });
  const args = ['run', path.join(folder, 'app.mjs'), '0'];
  const { code, stderr } = await new ServerProcess(args, { environment: { VRYPT_STACK: '1' } }).ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/cannot be loaded: Error: its own\n {4}at open .*\n {4}at \S+app\.mjs:2:1\n/);
});

test('only a file that was typed is run', async () => {
  const none = await new ServerProcess(['run']).ended;
  expect([none.code, none.stderr]).toEqual([
    2,
    'vrypt-server: run must be given the path of a program, see vrypt-server run --help\n',
  ]);
  const missing = await new ServerProcess(['run', '/no/such/app.mjs']).ended;
  expect([missing.code, missing.stderr]).toEqual([
    2,
    'vrypt-server: run must be given the path of a file, got "/no/such/app.mjs"\n',
  ]);
});
