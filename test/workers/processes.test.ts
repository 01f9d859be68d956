import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ServerProcess } from '../cli/server-process.ts';
import { RawClient } from '../engine/raw-client.ts';
import { GET } from '../engine/start-engine.ts';

async function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const server = await ServerProcess.start(['-H', '127.0.0.1', '-p', '0', ...args], { environment });
  onTestFinished(async () => {
    await server.kill();
  });
  return server;
}

async function connect(to: number | string): Promise<RawClient> {
  const client = typeof to === 'number' ? await RawClient.connect(to) : await RawClient.connectUnix(to);
  onTestFinished(() => client.close());
  return client;
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** No process listens any more, so each knows of the drain. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const client = await RawClient.connect(port).catch(() => null);
    if (client === null) return;
    client.close();
  }
}

function unixFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-processes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe.each(['handle', 'net'] as const)('three processes on the %s transport', (transport) => {
  const environment = { __VRYPT_TRANSPORT: transport };

  test('a crash costs only its own connections, and another process takes the place', async () => {
    const server = await start(['--worker', '3'], environment);
    const before = childrenOf(server.pid);
    expect(before).toHaveLength(3);
    const clients = await Promise.all(Array.from({ length: 24 }, () => connect(server.port)));
    for (const client of clients) expect((await client.send(GET).response()).status).toBe(200);

    process.kill(before[1] as number, 'SIGSEGV');
    await until(() => childrenOf(server.pid).length === 3 && !childrenOf(server.pid).includes(before[1] as number));
    const left = clients.filter((client) => !client.hasEnded);
    expect(left.length).toBeLessThan(24);
    expect(left.length).toBeGreaterThan(0);
    for (const client of left) expect((await client.send(GET).response()).status).toBe(200);
    expect(server.stderr).toBe('vrypt-server: worker 1: the process was ended by SIGSEGV\n');
  });

  test('a drain answers what has begun, and leaves no process', async () => {
    const server = await start(['--worker', '3'], environment);
    const children = childrenOf(server.pid);
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect(server.port)));
    for (const client of clients) await client.send(GET).response();
    for (const client of clients) client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na');
    server.signal('SIGTERM');
    await untilRefused(server.port);
    for (const client of clients) {
      const { status, head } = await client.send('b').response();
      expect(status).toBe(200);
      expect(head).toContain('Connection: close');
    }
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/connections drained, 6 requests answered since the signal\n/);
    for (const child of children) expect(existsSync(`/proc/${child}`)).toBe(false);
  });
});

test('processes end with their manager, however it ends, and at a signal only through it', async () => {
  const server = await start(['--worker', '2']);
  const children = childrenOf(server.pid);
  for (const child of children) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.kill(child, signal);
  expect((await (await connect(server.port)).send(GET).response()).status).toBe(200);
  expect(childrenOf(server.pid)).toEqual(children);
  const { port } = server;
  await server.kill();
  await until(() => children.every((child) => !existsSync(`/proc/${child}`)));
  await expect(RawClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a second signal ends all at once', async () => {
  const server = await start(['--worker', '2']);
  const children = childrenOf(server.pid);
  const client = await connect(server.port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na');
  server.signal('SIGTERM');
  server.signal('SIGINT');
  expect((await server.ended).code).toBe(0);
  await until(() => children.every((child) => !existsSync(`/proc/${child}`)));
});

test('the manager reports the requests of all processes to StatsD, also of those that have died', async () => {
  const statsd = createSocket('udp4').bind(0, '127.0.0.1');
  onTestFinished(() => void statsd.close());
  await once(statsd, 'listening');
  const rates: number[] = [];
  statsd.on('message', (packet) => rates.push(Number(/rps:(\d+)\|g/.exec(`${packet}`)?.[1])));
  const server = await start(['--worker', '2', '--statsd', `127.0.0.1:${statsd.address().port}`]);
  for (let i = 0; i < 8; i++) await (await connect(server.port)).send(GET.repeat(5)).response();
  await until(() => rates.some((rate) => rate > 0));
  process.kill(childrenOf(server.pid)[0] as number, 'SIGKILL');
  const seen = rates.length;
  await until(() => rates.length > seen + 1);
  expect(Math.max(...rates)).toBeLessThan(100);
});

test('processes share a Unix socket, whose file goes when the server ends', async () => {
  const file = path.join(unixFolder(), 'http.sock');
  const server = await ServerProcess.start(['--unix', file, '--worker', '2']);
  onTestFinished(async () => {
    await server.kill();
  });
  expect(server.stdout).toContain(`listening on unix:${file} (2 workers)`);
  process.kill(childrenOf(server.pid)[0] as number, 'SIGKILL');
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect(file)));
  for (const client of clients) expect((await client.send(GET).response()).status).toBe(200);
  expect((await server.stop()).code).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test('a port that is taken is one line and exit code 1, and --share joins', async () => {
  const first = await start(['--worker', '1']);
  const second = new ServerProcess(['-H', '127.0.0.1', '-p', String(first.port), '--worker', '2']);
  const { code, stderr } = await second.ended;
  expect([code, stderr]).toEqual([
    1,
    `vrypt-server: port ${first.port} on 127.0.0.1 is in use (EADDRINUSE); --share joins a running vrypt-server of the same user\n`,
  ]);
  const third = await start(['-p', String(first.port), '--worker', '2', '--share']);
  expect((await third.stop()).code).toBe(0);
});

test('--timeout-ms is --header-timeout in milliseconds', async () => {
  const server = await start(['-w', '1', '--timeout-ms', '300']);
  const client = await connect(server.port);
  expect((await client.send('GET / HTTP/1.1\r\nHo').response()).status).toBe(408);
});
