/** The archives as a user gets them: unpacked into an empty folder, run, and queried over real sockets. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { program as described } from '../../scripts/program/program.ts';
import { emulatorFor } from '../../scripts/sandbox/emulation.ts';
import { exchange, freePort, Server } from '../../scripts/smoke/server.ts';
import { archiveFolder, artifactPath, tarball } from '../../scripts/targets/artifacts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { packagedTriples } from './setup.ts';

const unavailable = inject('unavailable');
const close = 'GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

describe.skipIf(unavailable !== '').each([...packagedTriples])('%s', (triple) => {
  const parent = mkdtempSync(path.join(tmpdir(), 'vrypt-packaged-'));
  const target = readTargets().targets.find((row) => row.triple === triple);
  if (target === undefined) throw new Error(`no ${triple}`);
  const folder = path.join(parent, archiveFolder(target));
  const program = path.join(folder, 'vrypt-server');
  const started: Server[] = [];
  /** Through an emulator if this machine cannot run it. */
  let command: readonly [string, ...string[]];

  beforeAll(async () => {
    execFileSync('tar', ['-xzf', artifactPath(tarball(target))], { cwd: parent });
    const emulator = await emulatorFor(target);
    command = emulator === undefined ? [program] : [emulator, program];
  });
  afterEach(async () => {
    for (const server of started.splice(0)) {
      server.signal('SIGKILL');
      await server.end();
    }
  });
  afterAll(() => rmSync(parent, { recursive: true }));

  function run(port: number, ...args: string[]): Server {
    const empty = path.join(folder, 'empty');
    mkdirSync(empty, { recursive: true });
    const server = new Server({ command, cwd: empty }, port, args);
    started.push(server);
    return server;
  }

  async function listening(...args: string[]): Promise<Server> {
    const port = await freePort();
    const server = run(port, String(port), ...args);
    await server.line();
    return server;
  }

  test('the archive contains the program, its README and the licenses', () => {
    expect(readdirSync(parent)).toEqual([path.basename(folder)]);
    expect(readdirSync(folder).sort()).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.txt', 'vrypt-server']),
    );
    expect(readFileSync(path.join(folder, 'THIRD-PARTY-LICENSES.txt'), 'utf8')).toMatch(/commander[\s\S]*Node\.js/);
  });

  test('answers any method and path, and leaves nothing behind in its folder', async () => {
    const { port } = await listening();
    for (const method of ['GET', 'POST', 'BREW']) {
      const answer = await fetch(`http://127.0.0.1:${port}/any/path`, { method });
      expect([answer.status, await answer.text()]).toEqual([200, 'Vrypt']);
    }
    expect(readdirSync(path.join(folder, 'empty'))).toEqual([]);
  });

  test('both workers serve', async () => {
    // The kernel distributes connections over the two listening sockets by hash: a silent worker would leave some of these
    // unanswered, except once in 2^63 runs.
    const server = await listening('--workers', '2');
    expect(server.listeningPorts()).toEqual([server.port, server.port]);
    const answers = await Promise.all(Array.from({ length: 64 }, () => exchange(server.port, close)));
    expect(answers.filter((answer) => answer.endsWith('Vrypt'))).toHaveLength(64);
  });

  test('finishes a request that was in progress at SIGTERM, and closes', async () => {
    const server = await listening();
    const socket = connect(server.port, '127.0.0.1').setEncoding('latin1');
    let answer = '';
    socket.on('data', (text: string) => {
      answer += text;
    });
    const answered = new Promise<void>((resolve) => socket.on('data', () => resolve()));
    const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
    // One whole request and the first half of the next in one write: when the first is answered, the second is in progress.
    socket.write('GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\n');
    await answered;
    server.signal('SIGTERM');
    while (server.listeningPorts().length > 0) await pause(5);
    socket.write('Host: localhost\r\n\r\n');
    expect((await server.end()).code).toBe(0);
    await ended;
    expect(answer.match(/Vrypt/g)).toHaveLength(2);
    expect(answer).toMatch(/Connection: close\r\n[\s\S]*Vrypt$/);
  });

  test('a port in use is an error, unless --share is given', async () => {
    const { port } = await listening();
    const { code, stderr } = await run(port, String(port)).end();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^[^\\n]*${port}[^\\n]*\\n$`));
    const sharing = run(port, String(port), '--share');
    expect(await sharing.line()).toContain(`:${port}`);
  });

  test.each([
    [['80a'], 2, /80a/],
    [['--port', '65536'], 2, /--port.*65536/],
    [['--no-such-option'], 2, /--no-such-option/],
  ])('%j ends with one line and exit code %i', async (args, expected, message) => {
    const { code, stdout, stderr } = await run(0, ...args).end();
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([expected, '']);
  });

  test.each(['thread', 'process'])(
    'the plain server and programs from disk run with --isolation %s',
    async (isolation) => {
      // Only a kernel can start the executable once more, and no emulator.
      if (isolation === 'process' && command.length > 1) return;
      const plain = await listening('--workers', '2', '--isolation', isolation);
      expect(await exchange(plain.port, close)).toContain('\r\n\r\nVrypt');

      const app = path.join(parent, 'app.mjs');
      writeFileSync(path.join(parent, 'word.mjs'), 'export default "late";');
      writeFileSync(
        app,
        `import { serve } from 'vrypt-server';
      const { default: word } = await import('./word.mjs');
      export default { fetch: () => new Response(word + typeof serve) };`,
      );
      const port = await freePort();
      const server = run(port, 'run', app, String(port), '--isolation', isolation);
      await server.line();
      expect(await exchange(port, close)).toMatch(/\r\n\r\nlatefunction/);
    },
  );

  test('the web server runs, with every worker', async () => {
    writeFileSync(path.join(parent, 'index.html'), 'page');
    const port = await freePort();
    const server = run(port, 'files', parent, String(port), '--workers', '2');
    await server.line();
    expect(await exchange(port, close.replace('/x', '/'))).toContain('\r\n\r\npage');
    const proxyPort = await freePort();
    const proxy = run(proxyPort, 'proxy', `http://127.0.0.1:${port}`, String(proxyPort));
    await proxy.line();
    expect(await exchange(proxyPort, close.replace('/x', '/'))).toContain('\r\n\r\npage');
  });

  test('--version and --help', async () => {
    expect(await run(0, '--version').end()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(described.version),
    });
    expect(await run(0, '--help').end()).toMatchObject({ code: 0, stdout: expect.stringContaining('--workers') });
  });

  test.runIf(process.getuid?.() === 0)('ends at SIGTERM as the first process of its namespace', async () => {
    const port = await freePort();
    const outer = spawn('unshare', ['--pid', '--fork', '--kill-child', ...command, String(port)], { stdio: 'pipe' });
    const code = new Promise<number | null>((resolve) => outer.on('close', resolve));
    await new Promise((resolve) => outer.stdout.once('data', resolve));
    const inner = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').trim();
    process.kill(Number(inner), 'SIGTERM');
    expect(await code).toBe(0);
  });

  test.runIf(process.getuid?.() === 0)('answers from an empty chroot', async () => {
    const port = await freePort();
    const [emulator] = command.slice(0, -1);
    if (emulator !== undefined) copyFileSync(emulator, path.join(folder, 'emulator'));
    const prefix = emulator === undefined ? [] : ['/emulator'];
    const launch = { command: ['chroot', folder, ...prefix, '/vrypt-server'] as const, cwd: '/' };
    const server = new Server(launch, port, [String(port)]);
    started.push(server);
    await server.line();
    expect(await exchange(port, close)).toMatch(/Vrypt$/);
  });
});
