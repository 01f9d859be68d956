import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'vitest';
import { RawClient } from '../engine/raw-client.ts';
import { GET } from '../engine/start-engine.ts';
import { ServerProcess, SOURCE, type SpawnOptions } from './server-process.ts';

interface Context {
  onTestFinished(stop: () => unknown): void;
}

async function start({ onTestFinished }: Context, args: readonly string[], options?: SpawnOptions) {
  const server = new ServerProcess([...FITTING, ...args], options);
  onTestFinished(() => (server.hasEnded ? undefined : server.kill()));
  await server.ready();
  return server;
}

/** Fits everywhere, so that there is no message about it. */
const FITTING = ['--max-connections', '1000'];

function end(args: readonly string[], environment: Record<string, string> = {}) {
  return new ServerProcess([...args, ...(args.includes('-p') ? FITTING : [])], { environment }).ended;
}

async function connect({ onTestFinished }: Context, port: number, host = '127.0.0.1'): Promise<RawClient> {
  const client = await RawClient.connect(port, { host });
  onTestFinished(() => client.close());
  return client;
}

describe.concurrent('the program', () => {
  test('prints one line with its real address and its workers when it serves, and ends with 0', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2']);
    expect(server.stdout).toMatch(/^vrypt-server \S+ listening on http:\/\/127\.0\.0\.1:[1-9]\d* \(2 workers\)\n$/);
    const client = await connect(context, server.port);
    expect((await client.send(GET).response()).body).toBe('Vrypt');
    client.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null, stdout: server.stdout, stderr: '' });
  });

  test('runs a worker per core unless told otherwise', async (context) => {
    const cores = availableParallelism();
    const server = await start(context, ['-p', '0']);
    context.expect(server.stdout).toContain(`http://[::]:${server.port} (${cores} worker${cores === 1 ? '' : 's'})`);
  });

  test('listens on IPv6', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '[::1]', '-w', '1']);
    expect(server.stdout).toContain(`http://[::1]:${server.port} (1 worker)`);
    expect((await (await connect(context, server.port, '::1')).send(GET).response()).status).toBe(200);
    await expect(RawClient.connect(server.port)).rejects.toThrow('ECONNREFUSED');
  });

  test('listens on IPv6 and IPv4 with ::', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '::', '-w', '1']);
    for (const host of ['::1', '127.0.0.1']) {
      expect((await (await connect(context, server.port, host)).send(GET).response()).status).toBe(200);
    }
  });

  test('listens on a name', async (context) => {
    const server = await start(context, ['-p', '0', '-H', 'localhost', '-w', '1']);
    context.expect((await (await connect(context, server.port, 'localhost')).send(GET).response()).status).toBe(200);
  });

  test('is reachable only at the address of --host', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.2', '-w', '1']);
    expect((await (await connect(context, server.port, '127.0.0.2')).send(GET).response()).status).toBe(200);
    await expect(RawClient.connect(server.port, { host: '127.0.0.1' })).rejects.toThrow('ECONNREFUSED');
    await expect(RawClient.connect(server.port, { host: '::1' })).rejects.toThrow('ECONNREFUSED');
  });

  test('prints nothing with --quiet', async (context) => {
    const { expect } = context;
    const finder = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1']);
    const { port } = finder;
    await finder.stop();
    const server = new ServerProcess(['-p', String(port), '-H', '127.0.0.1', '-w', '1', '--quiet']);
    context.onTestFinished(() => void server.kill());
    let client: RawClient | null = null;
    while (client === null) client = await RawClient.connect(port).catch(() => null);
    expect((await client.send(GET).response()).status).toBe(200);
    client.close();
    expect(await server.stop()).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('takes the port from PORT', async (context) => {
    const server = await start(context, ['-w', '1', '-H', '127.0.0.1'], { environment: { PORT: '0' } });
    context.expect(server.port).toBeGreaterThan(0);
    context.expect(server.port).not.toBe(8080);
  });

  test('serves on the second transport too', async (context) => {
    const environment = { __VRYPT_TRANSPORT: 'net' };
    const server = await start(context, ['-p', '0', '-w', '2', '-H', '127.0.0.1'], { environment });
    context.expect((await (await connect(context, server.port)).send(GET).response()).status).toBe(200);
  });

  test('refuses a port in use with 1, and joins it with --share', async (context) => {
    const { expect } = context;
    const first = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1']);
    const args = ['-p', String(first.port), '-H', '127.0.0.1', '-w', '1'];
    expect(await end(args)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `vrypt-server: port ${first.port} on 127.0.0.1 is in use (EADDRINUSE); --share joins a running vrypt-server of the same user\n`,
    });
    const second = await start(context, [...args, '--share']);
    await first.stop();
    expect((await (await connect(context, second.port)).send(GET).response()).status).toBe(200);
  });

  test('does not suggest --share if it was typed', async (context) => {
    const { expect } = context;
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    context.onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    expect(await end(['-p', String(port), '-H', '127.0.0.1', '-w', '1', '--share'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `vrypt-server: port ${port} on 127.0.0.1 is in use (EADDRINUSE); the program that holds it is not a vrypt-server of the same user, so it cannot be shared\n`,
    });
  });

  test.for([['192.0.2.1', '--host 192.0.2.1 does not belong to this machine (EADDRNOTAVAIL)']] as const)(
    'refuses --host %s with 1',
    async ([host, message], { expect }) => {
      expect(await end(['-p', '0', '-H', host])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: `vrypt-server: ${message}\n`,
      });
    },
  );

  test('refuses an unknown name with 1', async ({ expect }) => {
    const { code, stdout, stderr } = await end(['-p', '0', '-H', 'nobody.invalid']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^vrypt-server: --host nobody\.invalid was not found \(E\w+\)\n$/);
  });

  test('ends with 2 and one line at a usage error', async ({ expect }) => {
    const stderr = 'vrypt-server: PORT must be a whole number from 0 to 65535, got "x"\n';
    expect(await end([], { PORT: 'x' })).toMatchObject({ code: 2, stdout: '', stderr });
  });

  test('does not end with 0 if its output cannot be written', async ({ expect }) => {
    const command = ['sh', '-c', 'exec "$0" "$@" >/dev/full', ...SOURCE];
    const stderr = 'vrypt-server: cannot write to standard output (ENOSPC)\n';
    expect(await new ServerProcess(['--version'], { command }).ended).toMatchObject({ code: 1, stderr });
    expect(await new ServerProcess(['--help'], { command }).ended).toMatchObject({ code: 1, stderr });
  });

  test('checks a running server with healthcheck, found through the same environment', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1', '--status', '404']);
    const { port } = server;
    expect(await end(['healthcheck'], { PORT: String(port) })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `vrypt-server: http://127.0.0.1:${port}/ answered with 404\n`,
    });
    await server.stop();
    const well = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1', '--status', '204']);
    expect(await end(['healthcheck', `http://localhost:${well.port}/`])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('gives its own answer on every worker', async (context) => {
    const { expect } = context;
    const args = ['-p', '0', '-H', '127.0.0.1', '-w', '2', '--header', 'X-One: 1', '--header=X-Two: 2'];
    const server = await start(context, [...args, '--status', '418', '--text', 'grüß'], {});
    for (let i = 0; i < 16; i++) {
      const client = await connect(context, server.port);
      const { status, head, body } = await client.send(GET).response();
      expect({ status, body: Buffer.from(body, 'latin1').toString() }).toEqual({ status: 418, body: 'grüß' });
      expect(head).toContain('\r\nContent-Type: text/plain; charset=utf-8\r\nX-One: 1\r\nX-Two: 2\r\n');
      client.close();
    }
  });

  test('answers with the request with --echo', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1'], {
      environment: { VRYPT_ECHO: '1' },
    });
    const client = await connect(context, server.port);
    const { status, head, body } = await client.send('PUT /a?b HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n').response();
    expect(status).toBe(200);
    expect(head).toContain('\r\nContent-Type: application/json\r\n');
    expect(JSON.parse(body)).toMatchObject({ method: 'PUT', target: '/a?b', headers: { host: 'h', x: 'y' } });
    expect(body).toContain('127.0.0.1');
  });

  test('sends requests per second as a gauge by UDP, from every worker', async (context) => {
    const { expect, onTestFinished } = context;
    const socket = createSocket('udp4');
    onTestFinished(() => void socket.close());
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const target = `127.0.0.1:${socket.address().port}`;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2', '--statsd', target]);
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(context, server.port)));
    await Promise.all(clients.map((client) => client.send(GET.repeat(990)).responses(990)));
    const [packet] = await once(socket, 'message');
    const rate = Number(/^vrypt\.rps:(\d+)\|g$/.exec(String(packet))?.[1]);
    // 7920 requests in a period of a second (a timer may be a millisecond early), or in a longer one if the machine is busy.
    expect(rate).toBeGreaterThan(800);
    expect(rate).toBeLessThanOrEqual(8000);
    let [next] = await once(socket, 'message');
    while (String(next) !== 'vrypt.rps:0|g') [next] = await once(socket, 'message');
  });

  test.for(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP'] as const)(
    'answers what is in flight at %s, reports it, then ends with 0',
    async (name, context) => {
      const { expect } = context;
      const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2']);
      const [idle, busy] = [await connect(context, server.port), await connect(context, server.port)];
      await idle.send(GET).response();
      await busy.send(GET + GET.slice(0, 10)).response();
      server.signal(name);
      expect(await idle.end()).toBe('');
      const { status, head } = await busy.send(GET.slice(10)).response();
      expect(status).toBe(200);
      expect(head).toContain('Connection: close');
      idle.close();
      busy.close();
      const { code, stdout, stderr } = await server.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [, stopped = ''] = stdout.split('\n');
      expect(stopped).toMatch(
        /^vrypt-server stopped by SIG\w+ after \d+\.\d\ds: 2 connections drained, 1 request answered since the signal$/,
      );
      expect(stopped).toContain(name);
    },
  );

  test('ignores SIGHUP if started by nohup', async (context) => {
    const { expect } = context;
    // Like a shell, which sets `_` to the program that it starts.
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1'], {
      command: ['nohup', ...SOURCE],
      environment: { _: '/usr/bin/nohup' },
    });
    server.signal('SIGHUP');
    const client = await connect(context, server.port);
    expect((await client.send(GET).response()).status).toBe(200);
    client.close();
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  test('cuts off what is left at the drain timeout, and reports it', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2', '--drain-timeout', '4s']);
    const client = await connect(context, server.port);
    await client.send(GET + GET.slice(0, 10)).response();
    const { code, stdout, stderr } = await server.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/: 1 connection drained, 0 requests answered since the signal, 1 cut off\n$/);
  });

  test.for([
    ['at the drain timeout', 'SIGCONT'],
    ['at once at a second signal', 'SIGTERM'],
  ] as const)('ends with 0 %s although a thread spins in native code', async ([, next], context) => {
    const { expect } = context;
    // A thread that blocks for minutes when told to drain.
    const spinning = `import workers from 'node:worker_threads';
      import { syncBuiltinESMExports } from 'node:module';
      const { Worker } = workers;
      workers.Worker = class extends Worker {
        constructor(url, options) {
          super('import(' + JSON.stringify(url.href) + ');' +
            'const { parentPort } = require("node:worker_threads");' +
            'parentPort.on("message", () => {' +
            '  parentPort.postMessage({ type: "spinning" });' +
            '  require("node:crypto").pbkdf2Sync("", "", 2 ** 31 - 1, 64, "sha512");' +
            '});', { ...options, eval: true });
          this.on('message', ({ type }) => type === 'spinning' && require('node:fs').writeSync(1, type + '\\n'));
        }
      };
      const require = (await import('node:module')).createRequire('/');
      syncBuiltinESMExports();`;
    const [node = '', ...program] = SOURCE;
    const command = [node, '--import', `data:text/javascript,${encodeURIComponent(spinning)}`, ...program];
    const timeout = next === 'SIGTERM' ? '10m' : '500ms';
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2', '--drain-timeout', timeout], {
      command,
    });
    server.signal('SIGTERM');
    await server.printed('spinning');
    server.signal(next);
    expect(await server.ended).toMatchObject({ code: 0, signal: null });
  });

  test('ends at once at a second signal', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2', '--drain-timeout', '10m']);
    const [idle, halfway] = [await connect(context, server.port), await connect(context, server.port)];
    await idle.send(GET).response();
    await halfway.send(GET + GET.slice(0, 10)).response();
    server.signal('SIGTERM');
    // Its end shows that the drain has begun; the other one would delay it for ten seconds.
    await idle.end();
    server.signal('SIGINT');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/stopped by SIGTERM, then SIGINT, after \d+\.\d\ds: [12] connections? cut off\n$/);
  });

  test('counts no connection as cut off that no client has made', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '4', '--drain-timeout', '10m']);
    server.signal('SIGTERM');
    // The end may come between the two.
    server.signal('SIGINT');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/: 0 connections (drained, 0 requests answered since the signal|cut off)\n$/);
  });

  test('says that a relative socket has no folder in a working directory that was deleted', async ({ expect }) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-deleted-'));
    const command = ['sh', '-c', 'rmdir "$PWD"; exec "$0" "$@"', ...SOURCE];
    expect(await new ServerProcess(['--unix', 'a'], { command, cwd: folder }).ended).toMatchObject({
      code: 1,
      stderr: 'vrypt-server: the socket a has no folder: the working directory was deleted (ENOENT)\n',
    });
  });

  test('starts its threads in a working directory that was deleted', async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-deleted-'));
    const command = ['sh', '-c', 'rmdir "$PWD"; exec "$0" "$@"', ...SOURCE];
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2'], { command, cwd: folder });
    context.expect(server.stdout).toContain('(2 workers)');
    context.expect(await server.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('ends at a signal while it is looking up its name', async (context) => {
    const { expect } = context;
    // A resolver that reports queries and never answers; like a real one, it keeps the event loop alive meanwhile.
    const silent = `import { Resolver } from 'node:dns';
      Resolver.prototype.resolve4 = () => { setInterval(() => {}, 60_000); console.log('asked'); };`;
    const [node = '', ...program] = SOURCE;
    const command = [node, '--import', `data:text/javascript,${encodeURIComponent(silent)}`, ...program];
    const server = await start(context, ['-p', '0', '-H', 'a.name', '-w', '1'], { command });
    expect(server.stdout).toBe('asked\n');
    server.signal('SIGTERM');
    expect(await server.ended).toMatchObject({
      code: 0,
      stdout: 'asked\nvrypt-server stopped by SIGTERM before it listened\n',
      stderr: '',
    });
  });

  test('names its process and its threads', async (context) => {
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '3']);
    const tasks = `/proc/${server.pid}/task`;
    const names = readdirSync(tasks).map((task) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim());
    context.expect(names).toEqual(context.expect.arrayContaining(['vrypt-server', 'vrypt-server/1', 'vrypt-server/2']));
    context.expect(readFileSync(`/proc/${server.pid}/comm`, 'utf8')).toBe('vrypt-server\n');
    // Its arguments remain visible.
    context.expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).toContain('\0-w\x003\0');
  });

  test('of two that start at the same moment on one port, one is refused', async (context) => {
    const { expect } = context;
    for (const hosts of [
      ['127.0.0.1', '127.0.0.1'],
      ['0.0.0.0', '127.0.0.1'],
      ['::', '0.0.0.0'],
    ]) {
      const finder = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1']);
      const { port } = finder;
      await finder.stop();
      const both = hosts.map((host) => new ServerProcess(['-p', String(port), '-H', host, '-w', '1', ...FITTING]));
      for (const server of both) context.onTestFinished(async () => void (server.hasEnded || (await server.kill())));
      const [first] = await Promise.all(
        both.map((server) =>
          server.ready().then(
            () => server,
            () => null,
          ),
        ),
      );
      const lost = both[first === null ? 0 : 1] as ServerProcess;
      const won = both[first === null ? 1 : 0] as ServerProcess;
      expect(await lost.ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('EADDRINUSE') });
      expect(await won.stop()).toMatchObject({ code: 0 });
    }
  });

  test('opens no debugger at SIGUSR1', async (context) => {
    const { expect } = context;
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '1']);
    server.signal('SIGUSR1');
    const client = await connect(context, server.port);
    expect((await client.send(GET).response()).status).toBe(200);
    await expect(RawClient.connect(9229)).rejects.toThrow('ECONNREFUSED');
    client.close();
    expect(await server.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('reports if --max-connections exceeds the open files, and serves as many as fit', async (context) => {
    const { expect } = context;
    const command = ['sh', '-c', 'ulimit -n 80; exec "$0" "$@"', ...SOURCE];
    const server = await start(context, ['-p', '0', '-H', '127.0.0.1', '-w', '2'], { command });
    const message =
      /^vrypt-server: the limit on open files \(ulimit -n 80\) allows (\d+) connections instead of --max-connections 1000\n$/;
    const fitting = Number(message.exec(server.stderr)?.[1]);
    expect(fitting).toBeGreaterThan(20);
    const answers: number[] = [];
    for (let i = 0; i < fitting + 5; i++) {
      const client = await connect(context, server.port);
      answers.push((await client.send(GET).response()).status);
    }
    expect(answers).toEqual([...Array(fitting).fill(200), ...Array(5).fill(503)]);
  });
});
