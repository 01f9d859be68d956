/** The npm package as a person gets it: packed, unpacked elsewhere, checked, compiled against, and run. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folder, packageNpm } from '../../scripts/steps/package-npm.ts';
import { root } from '../../scripts/support/checkout.ts';

const run = promisify(execFile);
const tool = (name: string) => path.join(root, 'node_modules/.bin', name);
let place = '';

beforeAll(async () => {
  await packageNpm();
  place = await mkdtemp('/tmp/vrypt-npm-');
  await mkdir(`${place}/node_modules`);
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', place], { cwd: folder });
  await run('tar', ['-xzf', stdout.trim(), '-C', 'node_modules'], { cwd: place });
  await run('mv', ['package', 'vrypt-server'], { cwd: `${place}/node_modules` });
  await writeFile(`${place}/package.json`, '{ "type": "module" }');
}, 120_000);
afterAll(() => rm(place, { recursive: true }));

describe('the npm package', () => {
  test('has no dependencies, and every declaration that it names', async () => {
    const manifest = JSON.parse(await readFile(`${place}/node_modules/vrypt-server/package.json`, 'utf8'));
    expect(manifest).not.toHaveProperty('dependencies');
    const files = await readdir(`${place}/node_modules/vrypt-server`, { recursive: true });
    expect(files).toEqual(expect.arrayContaining(['index.js', 'types/index.d.ts', 'LICENSE', 'README.md']));
  });

  test('passes publint and attw', async () => {
    await run(tool('publint'), ['--strict', `${place}/node_modules/vrypt-server`]);
    const { stdout } = await run('npm', ['pack', '--silent'], { cwd: `${place}/node_modules/vrypt-server` });
    await run(tool('attw'), [`${place}/node_modules/vrypt-server/${stdout.trim()}`, '--profile', 'esm-only']);
  });

  test('serves, in a program that has nothing else', async () => {
    await writeFile(
      `${place}/app.js`,
      `import { json, serve } from 'vrypt-server';
       const server = await serve({
         port: 0,
         routes: { '/users/:id': (call) => json(call.params) },
         fetch: (request) => new Response('Hello ' + new URL(request.url).pathname),
       }).ready;
       const text = async (path) => (await fetch(new URL(path, server.url))).text();
       console.log(await text('/there'), await text('/users/7'));
       await server.stop(true);`,
    );
    const { stdout } = await run(process.execPath, ['app.js'], { cwd: place });
    expect(stdout).toBe('Hello /there {"id":"7"}\n');
  });

  test('its types hold in a program under strict rules', async () => {
    await writeFile(
      `${place}/app.ts`,
      `import { Answer, events, file, json, reply, serve, stream, test, type Call, type Server } from 'vrypt-server';
       const server: Server<{ db: string }> = serve({
         port: 0,
         start: () => ({ db: 'x' }),
         routes: {
           '/made': new Answer(200, { 'X-A': ['a', 'b'] }, 'made'),
           '/users/:id': { GET: (call) => json({ id: call.params['id'], db: call.state.db }) },
           '/web': { fetch: (request) => Response.json(request.params ?? null) },
           '/events': (call) => events(call, async (out) => { await out.send('x', { id: '1' }); }),
           '/file': (call) => file(call, 'a.txt', { root: '/tmp' }),
           '/stream': () => stream(200, {}, async (out) => { await out.write('x'); }),
         },
         handle: (call: Call<{ db: string }>) => call.path === '/ws'
           ? call.accept<{ user: string }>({ message: (socket, data) => { socket.send(socket.data.user + data); } }, { user: 'a' })
           : undefined,
         fetch: (request, given) => given.upgrade(request, { data: 1 }) ? undefined : new Response(request.ip),
         websocket: { message(socket, data) { socket.publish('all', data); } },
         error: () => reply(500),
         done: (call, end) => console.log(call.method, end.status, end.ms),
       });
       await using tested = await test({ handle: () => reply(200) });
       const answers: Buffer[] = await tested.send('GET / HTTP/1.1');
       export { answers, server };`,
    );
    const compilerOptions = {
      ...{ module: 'nodenext', target: 'es2024', lib: ['es2024', 'esnext.disposable'], strict: true, noEmit: true },
      ...{ types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')], skipLibCheck: false },
    };
    await writeFile(`${place}/tsconfig.json`, JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    const { stdout } = await run(tool('tsc'), ['-p', '.'], { cwd: place }).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });
});
