import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeSelfSigned } from '../../src/tls/self-signed.ts';
import { ServerProcess } from '../cli/server-process.ts';
import { ask, makeFolder } from './start-web.ts';

async function start(args: readonly string[], cwd: string): Promise<ServerProcess> {
  const server = await ServerProcess.start(args, { cwd });
  onTestFinished(async () => {
    server.child.kill('SIGKILL');
    await server.ended;
  });
  return server;
}

async function listening(server: Server): Promise<AddressInfo> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address() as AddressInfo;
}

async function runIn(cwd: string, args: readonly string[]) {
  return new ServerProcess(args, { cwd }).ended;
}

describe('check', () => {
  test('accepts a good file, and tells every fault of a bad one by its line', async () => {
    const folder = makeFolder({
      'good.toml': '[[sites]]\nrespond = "hi"\n',
      'bad.toml': '[server]\nworkers = 0\n[[sites]]\nfile = "x"\n',
    });
    const good = await runIn(folder, ['check', '--config', 'good.toml']);
    expect(good).toMatchObject({ code: 0, stdout: 'good.toml: good, 1 listener, 1 site, 0 backends\n' });
    const bad = await runIn(folder, ['check', '-c', 'bad.toml']);
    expect(bad.code).toBe(1);
    expect(bad.stderr.split('\n')).toEqual([
      'bad.toml:2: server.workers must be "auto" or a whole number from 1 to 1024, got 0',
      'bad.toml:4: sites[0].file is not a key; did you mean files?',
      '',
    ]);
  });

  test('refuses certificates that a start would refuse', async () => {
    const [one, other] = [makeSelfSigned(['a.example']), makeSelfSigned(['b.example'])];
    const site = '[server]\nhttp_port = 0\nhttps_port = 0\n[[sites]]\nrespond = ""\n[ssl]\ncert = "cert.pem"\n';
    const folder = makeFolder({
      'cert.pem': one.cert,
      'key.pem': one.key,
      'other.pem': other.key,
      'good.toml': `${site}key = "key.pem"\n`,
      'swapped.toml': `${site}key = "cert.pem"\n`,
      'other.toml': `${site}key = "other.pem"\n`,
    });
    expect((await runIn(folder, ['check', 'good.toml'])).code).toBe(0);
    const swapped = await runIn(folder, ['check', 'swapped.toml']);
    expect([swapped.code, swapped.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^swapped\.toml:7: ssl\.cert cannot be used: [^\n]*the key must be a private key in PEM, got certificate\n$/,
      ),
    ]);
    const another = await runIn(folder, ['check', 'other.toml']);
    expect([another.code, another.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^other\.toml:7: ssl\.cert cannot be used: [^\n]*the key must belong to the certificate of [^\n]*a\.example[^\n]*\n$/,
      ),
    ]);
  });
});

describe('files', () => {
  test('serves a directory, and prints the configuration that it stands for', async () => {
    const folder = makeFolder({ 'public/index.html': '<p>hello' });
    const server = await start(['files', 'public', '0', '-H', '127.0.0.1', '-w', '2'], folder);
    expect((await ask('/', { port: server.port })).text).toBe('<p>hello');
    const printed = await runIn(folder, ['files', 'public', '--print']);
    writeFileSync(path.join(folder, 'vrypt.toml'), printed.stdout);
    expect((await runIn(folder, ['check'])).stdout).toBe('vrypt.toml: good, 1 listener, 1 site, 0 backends\n');
  });

  test('refuses what is no directory', async () => {
    const folder = makeFolder({});
    const ended = await runIn(folder, ['files', 'nowhere']);
    expect(ended).toMatchObject({
      code: 2,
      stderr: `vrypt-server: sites[0].files must be a directory, got "nowhere" (${path.join(folder, 'nowhere')}: ENOENT)\n`,
    });
  });
});

describe('web', () => {
  const FIRST = '[server]\nhttp_port = 0\nhost = "127.0.0.1"\nworkers = 2\n[[sites]]\nrespond = "1"\n';

  test('prints secrets as ***', async () => {
    const folder = makeFolder({
      'vrypt.toml': `${FIRST}[cloudflare]\napi_token = "open sesame"\n[security.basic_auth.users]\nada = "open sesame"\n`,
    });
    const { stdout, stderr } = await runIn(folder, ['web', '--print']);
    expect(stdout + stderr).not.toContain('open sesame');
  });

  test('reads its file again at SIGHUP, in all workers; a bad file changes nothing and says why', async () => {
    const folder = makeFolder({ 'vrypt.toml': FIRST });
    const file = path.join(folder, 'vrypt.toml');
    const server = await start(['web', '--pid-file', 'pid'], folder);
    const { port } = server;
    const all = async () =>
      new Set(await Promise.all(Array.from({ length: 20 }, async () => (await ask('/', { port })).text)));
    expect(await all()).toEqual(new Set(['1']));

    writeFileSync(file, FIRST.replace('"1"', '"2"'));
    expect(await runIn(folder, ['reload', '--pid-file', 'pid'])).toMatchObject({ code: 0, stderr: '' });
    await server.printed('reloaded its configuration');
    expect(await all()).toEqual(new Set(['2']));

    writeFileSync(file, FIRST.replace('respond', 'rispond'));
    server.child.kill('SIGHUP');
    await expect.poll(() => server.stderr, { timeout: 30_000 }).toContain('nothing has changed');
    expect(server.stderr).toContain('vrypt.toml:6: sites[0].rispond is not a key; did you mean respond?');
    expect(await all()).toEqual(new Set(['2']));

    expect(readFileSync(path.join(folder, 'pid'), 'utf8')).toBe(`${server.pid}\n`);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    expect(existsSync(path.join(folder, 'pid'))).toBe(false);
  });

  test('says where each listener is, also if the kernel has chosen its port', async () => {
    const folder = makeFolder({ 'vrypt.toml': `${FIRST}[metrics]\nlisten = "127.0.0.1:0"\n` });
    const server = await start(['web'], folder);
    // That of the metrics is the last.
    expect((await ask('/ready', { port: server.port })).text).toBe('ready\n');
  });

  test('a new number of workers takes a restart, and the reload says so', async () => {
    const folder = makeFolder({ 'vrypt.toml': FIRST });
    const server = await start(['web'], folder);
    writeFileSync(path.join(folder, 'vrypt.toml'), FIRST.replace('workers = 2', 'workers = 3'));
    server.child.kill('SIGHUP');
    await server.printed('reloaded its configuration');
    await expect.poll(() => server.stderr).toBe('vrypt-server: server.workers has changed: that takes a restart\n');
  });

  test('what workers refuse, applications have not taken either', async () => {
    const blocked = createServer();
    const { port: taken } = await listening(blocked);
    onTestFinished(() => void blocked.close());
    const free = createServer();
    const { port } = await listening(free);
    await new Promise((resolve) => free.close(resolve));
    const APP =
      'require("node:http").createServer((_, r) => r.end(process.env.A)).listen(process.env.PORT, "127.0.0.1")';
    const backend = (value: string) =>
      `[backends.app]\nurl = "http://127.0.0.1:${port}"\nprocess = { command = ${JSON.stringify(process.execPath)}, args = ["-e", '${APP}'], env = { A = "${value}" } }\n`;
    const folder = makeFolder({ 'vrypt.toml': FIRST + backend('1') });
    const server = await start(['web'], folder);
    expect((await ask('/', { port })).text).toBe('1');
    writeFileSync(
      path.join(folder, 'vrypt.toml'),
      FIRST.replace('http_port = 0', `http_port = ${taken}`) + backend('2'),
    );
    server.child.kill('SIGHUP');
    await expect.poll(() => server.stderr, { timeout: 30_000 }).toContain('nothing has changed');
    expect((await ask('/', { port })).text).toBe('1');
  });

  test('reload says why it cannot', async () => {
    const folder = makeFolder({ pid: 'abc' });
    expect((await runIn(folder, ['reload', 'pid'])).stderr).toContain('must hold a process id, got "abc"');
    expect((await runIn(folder, ['reload', 'none'])).stderr).toContain('cannot be read (ENOENT)');
    expect((await runIn(folder, ['reload'])).stderr).toContain('--pid-file must be given');
  });
});
