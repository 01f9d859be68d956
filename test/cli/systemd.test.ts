import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openNotifier, takeSystemdSockets } from '../../src/processes/systemd.ts';
import { RawClient } from '../engine/raw-client.ts';
import { GET } from '../engine/start-engine.ts';
import { SOURCE } from './server-process.ts';

/** As systemd starts a service that is activated by a socket: the socket is descriptor 3, and LISTEN_PID is the service itself. */
async function activate(args: readonly string[]) {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const handle = (listener as unknown as { _handle: { fd: number } })._handle;
  const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...SOURCE, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', handle.fd],
    env: { PATH: process.env['PATH'], LISTEN_FDS: '1', LISTEN_FDNAMES: 'http' },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  // From now on only the service accepts.
  listener.close();
  return { child, port, line: `${line}` };
}

test.each([
  [[], '(1 worker)'],
  [['--worker', '2'], '(2 workers)'],
])('serves on the socket that systemd has opened, with %j', async (args, workers) => {
  const { child, port, line } = await activate(args);
  expect(line).toContain(workers);
  for (let i = 0; i < 4; i++) {
    const client = await RawClient.connect(port);
    expect((await client.send(GET).response()).status).toBe(200);
    client.close();
  }
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test('takes sockets once, with their names, and only if they are meant for this process', () => {
  const pid = String(process.pid);
  const environment = { LISTEN_FDS: '3', LISTEN_PID: pid, LISTEN_FDNAMES: 'http:admin' };
  expect(takeSystemdSockets(environment)).toEqual([
    { descriptor: 3, name: 'http' },
    { descriptor: 4, name: 'admin' },
    { descriptor: 5, name: 'unknown' },
  ]);
  expect(environment).toEqual({});
  expect(takeSystemdSockets(environment)).toEqual([]);
  expect(takeSystemdSockets({ LISTEN_FDS: '1', LISTEN_PID: `${process.pid + 1}` })).toEqual([]);
  expect(takeSystemdSockets({ LISTEN_FDS: '0x', LISTEN_PID: pid })).toEqual([]);
});

test('a Node without our binding says that it cannot tell systemd anything', () => {
  const said: string[] = [];
  const environment = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '1000000' };
  expect(openNotifier((why) => said.push(why), environment)).toBeNull();
  expect(said).toEqual([expect.stringContaining('NOTIFY_SOCKET cannot be used')]);
  expect(environment).toEqual({});
  expect(openNotifier((why) => said.push(why), {})).toBeNull();
});
