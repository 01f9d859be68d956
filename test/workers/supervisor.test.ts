import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { VRYPT } from '../../src/app/source.ts';
import type { WantedEndpoint } from '../../src/workers/endpoint.ts';
import { livingThreads } from '../../src/workers/living-threads.ts';
import { reportError } from '../../src/workers/report.ts';
import { type StartOptions, startSupervisor } from '../../src/workers/supervisor.ts';
import { workerName } from '../../src/workers/worker-name.ts';
import { LIMITS } from '../engine/limits.ts';
import { RawClient } from '../engine/raw-client.ts';
import { GET } from '../engine/start-engine.ts';
import { failures, threads } from './capture-threads.ts';

vi.mock('node:worker_threads', async (original) => {
  const { capturing } = await import('./capture-threads.ts');
  return capturing(original);
});

vi.mock('../../src/workers/report.ts', () => ({ reportError: vi.fn() }));

function local(port: number): WantedEndpoint {
  return { kind: 'tcp', address: '127.0.0.1', port };
}

async function start(options: Partial<StartOptions> = {}, stopped?: Promise<unknown>) {
  threads.length = 0;
  vi.mocked(reportError).mockClear();
  const all: StartOptions = {
    app: VRYPT,
    endpoint: local(0),
    workers: 2,
    sharesPort: false,
    transport: 'handle',
    limits: LIMITS,
    ...options,
  };
  const supervisor = await startSupervisor(all, stopped);
  onTestFinished(async () => {
    await supervisor.drain(0);
  });
  return supervisor;
}

async function connect(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  onTestFinished(() => client.close());
  return client;
}

/** Connections to a server with two workers, grouped by the worker that serves them, at least one each. */
async function connectToBoth(supervisor: Awaited<ReturnType<typeof start>>): Promise<[RawClient[], RawClient[]]> {
  const byWorker: [RawClient[], RawClient[]] = [[], []];
  while (byWorker.some((clients) => clients.length === 0)) {
    const client = await connect(supervisor.port);
    const [before = 0] = supervisor.requests();
    await client.send(GET).response();
    byWorker[(supervisor.requests()[0] ?? 0) > before ? 0 : 1].push(client);
  }
  return byWorker;
}

async function died(): Promise<void> {
  await threads[0]?.terminate();
}

/** Resolves when the thread that replaces the first one listens. */
async function startedAgain(): Promise<void> {
  while (threads.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await once(threads.at(-1) as NonNullable<(typeof threads)[0]>, 'message');
}

describe.each(['handle', 'net'] as const)('two workers on the %s transport', (transport) => {
  test('both serve, and each counts its requests', async () => {
    const supervisor = await start({ transport });
    expect(supervisor.workers).toBe(2);
    const both = await connectToBoth(supervisor);
    const served = both[0].length + both[1].length;
    expect(supervisor.requests().reduce((sum, count) => sum + count)).toBe(served);
    expect(supervisor.requests().every((count) => count > 0)).toBe(true);
  });

  test('share the limit on connections', async () => {
    const supervisor = await start({ transport, limits: { ...LIMITS, maxConnections: 10 } });
    const answers: number[] = [];
    for (let i = 0; i < 15; i++) answers.push((await (await connect(supervisor.port)).send(GET).response()).status);
    expect(answers).toEqual([...Array(10).fill(200), ...Array(5).fill(503)]);
  });

  test('drain together: the last answers say close, then the port is closed', async () => {
    const supervisor = await start({ transport });
    const both = (await connectToBoth(supervisor)).flat();
    const drained = supervisor.drain(10_000);
    // The thread learns of the drain a moment later; until then it answers as usual.
    const untilLast = async (client: RawClient) => {
      while (!(await client.send(GET).response()).head.includes('Connection: close'));
      return client.end();
    };
    expect(await Promise.all(both.map(untilLast))).toEqual(both.map(() => ''));
    for (const client of both) client.close();
    await drained;
    await expect(RawClient.connect(supervisor.port)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a worker thread that dies', () => {
  test('loses only its own connections, and is restarted', async () => {
    const supervisor = await start();
    const [first, second] = await connectToBoth(supervisor);
    await died();
    for (const client of second) await client.end();
    for (const client of first) expect((await client.send(GET).response()).status).toBe(200);
    await startedAgain();
    const again = await connectToBoth(supervisor);
    expect(again[1].length).toBeGreaterThan(0);
  });

  test('returns its connections to the common limit', async () => {
    const supervisor = await start({ limits: { ...LIMITS, maxConnections: 8 } });
    const opened: RawClient[] = [];
    while (opened.length < 8) {
      const client = await connect(supervisor.port);
      await client.send(GET).response();
      opened.push(client);
    }
    const [, ofThread] = supervisor.requests();
    await died();
    const ended = await Promise.all(
      opened.map((client) =>
        Promise.race([
          client.end().then(() => true),
          client
            .send(GET)
            .response()
            .then(() => false),
        ]).catch(() => true),
      ),
    );
    expect(ended.filter(Boolean)).toHaveLength(ofThread ?? -1);
    await startedAgain();
    const again: number[] = [];
    for (const _ of ended.filter(Boolean))
      again.push((await (await connect(supervisor.port)).send(GET).response()).status);
    expect(again.every((status) => status === 200)).toBe(true);
    expect((await (await connect(supervisor.port)).response()).status).toBe(503);
  });

  test('is restarted after a pause that grows with every death', async () => {
    const supervisor = await start();
    const pauses: number[] = [];
    for (let i = 0; i < 3; i++) {
      await threads.at(-1)?.terminate();
      const diedAt = performance.now();
      const count = threads.length;
      while (threads.length === count) await new Promise((resolve) => setTimeout(resolve, 2));
      pauses.push(performance.now() - diedAt);
      await once(threads.at(-1) as NonNullable<(typeof threads)[0]>, 'message');
    }
    // 50, 100, 200 ms: never earlier.
    for (const [i, pause] of pauses.entries()) expect(pause).toBeGreaterThan(45 * 2 ** i);
    expect((await (await connect(supervisor.port)).send(GET).response()).status).toBe(200);
  });

  test('is not restarted in a drain', async () => {
    const supervisor = await start();
    await died();
    await supervisor.drain(1000);
    const count = threads.length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(threads).toHaveLength(count);
  });

  test('is ended silently if a drain begins while it starts', async () => {
    const supervisor = await start();
    await died();
    while (threads.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await supervisor.drain(0);
    expect(reportError).not.toHaveBeenCalled();
  });

  test('is left behind by a drain if it never ends', async () => {
    const supervisor = await start();
    const thread = threads[0] as NonNullable<(typeof threads)[0]>;
    const { terminate } = thread;
    thread.terminate = () => new Promise(() => {});
    await supervisor.drain(200);
    expect(livingThreads()).toBe(1);
    await terminate.call(thread);
    expect(livingThreads()).toBe(0);
  });

  test('does not delay a drain beyond its deadline if it never reports', async () => {
    const supervisor = await start();
    // The thread is never told to drain.
    const thread = threads[0] as NonNullable<(typeof threads)[0]>;
    thread.postMessage = () => {};
    await supervisor.drain(200);
    await expect(RawClient.connect(supervisor.port)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a start', () => {
  test('goes on with fewer workers when the system has no more threads, and says why', async () => {
    failures.push('EAGAIN');
    const supervisor = await start({ workers: 3 });
    expect(supervisor).toMatchObject({ workers: 2, shortage: 'EAGAIN' });
    expect(supervisor.requests()).toEqual([0, 0]);
    expect((await (await connect(supervisor.port)).send(GET).response()).status).toBe(200);
  });

  test('is not held up by threads when a signal asks it to stop', async () => {
    const stopped = Promise.resolve();
    const supervisor = await start({ workers: 8 }, stopped);
    await supervisor.drain(1000);
    expect(threads.length).toBeLessThan(7);
    await expect(RawClient.connect(supervisor.port)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a drain', () => {
  test('reports what it did', async () => {
    const supervisor = await start({ workers: 1 });
    const idle = await connect(supervisor.port);
    await idle.send(GET).response();
    const drained = supervisor.drain(10_000);
    await idle.end();
    idle.close();
    expect(await drained).toEqual({ connections: 1, requests: 0, cutOff: 0 });
  });

  test('counts what it has to cut off', async () => {
    const supervisor = await start({ workers: 1 });
    const halfway = await connect(supervisor.port);
    await halfway.send(GET + GET.slice(0, 10)).response();
    expect(await supervisor.drain(400)).toEqual({ connections: 1, requests: 0, cutOff: 1 });
  });

  test('counts what a thread cuts off while its own thread is held up', async () => {
    const supervisor = await start();
    const [ofMain, ofThread] = await connectToBoth(supervisor);
    const half = GET.slice(0, 10);
    for (const client of [...ofMain, ...ofThread]) await client.send(GET + half).response();
    const count = ofMain.length + ofThread.length;
    const drained = supervisor.drain(400);
    // Until the thread has been told; then beyond the deadline of both.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    expect(await drained).toEqual({ connections: count, requests: 0, cutOff: count });
  });

  test('counts what a thread that hangs leaves open', async () => {
    const supervisor = await start();
    const [ofMain, ofThread] = await connectToBoth(supervisor);
    for (const client of ofMain) client.close();
    const thread = threads[0] as NonNullable<(typeof threads)[0]>;
    thread.postMessage = () => {};
    expect(await supervisor.drain(400)).toMatchObject({ cutOff: ofThread.length });
  });
});

test.for([
  [1, 'vrypt-server/1'],
  [12, 'vrypt-server/12'],
  [100, 'vrypt-serve/100'],
  [1023, 'vrypt-serv/1023'],
] as const)('thread %i is called %s, within the 15 bytes that the kernel allows', ([worker, name]) => {
  expect(workerName(worker)).toBe(name);
});

describe('an address', () => {
  test.each(['handle', 'net'] as const)('goes to one of two that start at the same moment (%s)', async (transport) => {
    const finder = await start({ workers: 1 });
    const { port } = finder;
    await finder.drain(0);
    const results = await Promise.allSettled([
      start({ workers: 1, endpoint: local(port), transport }),
      start({ workers: 1, endpoint: local(port), transport }),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = results.find((result) => result.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'EADDRINUSE' });
  });

  test('in use is refused with its code, and joined on request', async () => {
    const first = await start({ workers: 1 });
    const { port } = first;
    await expect(start({ workers: 2, endpoint: local(port) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const second = await start({ workers: 2, endpoint: local(port), sharesPort: true });
    expect(second.port).toBe(port);
  });

  test('that this machine does not have is refused with its code', async () => {
    await expect(start({ endpoint: { kind: 'tcp', address: '192.0.2.1', port: 0 } })).rejects.toMatchObject({
      code: 'EADDRNOTAVAIL',
    });
  });
});

test('what is served is the same on all workers', async () => {
  const content = new TextEncoder().encode('mine');
  const supervisor = await start({ app: { kind: 'respond', status: 201, fields: [], content } });
  for (const client of (await connectToBoth(supervisor)).flat()) {
    const { status, body } = await client.send(GET).response();
    expect({ status, body }).toEqual({ status: 201, body: 'mine' });
  }
});

describe('every address', () => {
  test('is reachable by IPv4 and IPv6, and clients are shown with the address that they used', async () => {
    const app = { kind: 'echo', status: 200, fields: [] } as const;
    const { port, address } = await start({ endpoint: { kind: 'everywhere', port: 0 }, app });
    expect(address).toBe('::');
    for (const host of ['127.0.0.1', '::1']) {
      const client = await RawClient.connect(port, { host });
      onTestFinished(() => client.close());
      const { body } = await client.send(GET).response();
      expect(JSON.parse(body).remote.address).toBe(host);
    }
  });
});

describe('a Unix socket', () => {
  async function folder(): Promise<string> {
    const made = await mkdtemp(path.join(tmpdir(), 'vrypt-'));
    onTestFinished(() => rm(made, { recursive: true }));
    return made;
  }

  test.each(['handle', 'net'] as const)(
    'serves on the %s transport, and its file is removed at the end',
    async (transport) => {
      const file = path.join(await folder(), 'socket');
      const supervisor = await start({ endpoint: { kind: 'unix', path: file, ticket: null }, workers: 1, transport });
      expect(supervisor).toMatchObject({ address: file, port: 0 });
      const client = await RawClient.connectUnix(file);
      expect((await client.send(GET).response()).body).toBe('Vrypt');
      client.close();
      await supervisor.drain(1000);
      expect(existsSync(file)).toBe(false);
    },
  );

  test('is replaced if stale; a live one and an ordinary file are not', async () => {
    const here = await folder();
    const [stale, live, ordinary] = ['stale', 'live', 'ordinary'].map((name) => path.join(here, name)) as [
      string,
      string,
      string,
    ];
    const killed = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    await once(killed, 'exit');
    expect(existsSync(stale)).toBe(true);
    await start({ endpoint: { kind: 'unix', path: stale, ticket: null }, workers: 1 });
    await start({ endpoint: { kind: 'unix', path: live, ticket: null }, workers: 1 });
    await expect(start({ endpoint: { kind: 'unix', path: live, ticket: null }, workers: 1 })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await writeFile(ordinary, 'mine');
    await expect(start({ endpoint: { kind: 'unix', path: ordinary, ticket: null }, workers: 1 })).rejects.toMatchObject(
      {
        code: 'EADDRINUSE',
      },
    );
    expect(await readFile(ordinary, 'utf8')).toBe('mine');
    const client = await RawClient.connectUnix(live);
    expect((await client.send(GET).response()).body).toBe('Vrypt');
    client.close();
  });
});

describe('an error outside every request', () => {
  test('costs the connections of worker 0, not the server', async () => {
    const supervisor = await start();
    const [first, second] = await connectToBoth(supervisor);
    const error = new Error('somewhere');
    supervisor.survive(error);
    for (const client of first) await client.end();
    for (const client of second) expect((await client.send(GET).response()).status).toBe(200);
    expect((await (await connect(supervisor.port)).send(GET).response()).status).toBe(200);
    expect(reportError).toHaveBeenCalledWith(0, error);
  });
});
