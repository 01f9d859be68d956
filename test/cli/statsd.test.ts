import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'vitest';
import { startStatsd } from '../../src/cli/statsd.ts';
import type { Found } from '../../src/engine/look-up.ts';

interface Context {
  onTestFinished(stop: () => unknown): void;
}

async function listen({ onTestFinished }: Context, address: string, port = 0): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4').bind(port, address);
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket;
}

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

interface Lookup {
  readonly name: string;
  give(found: Found): void;
  fail(): void;
}

/** The pusher under test, with lookups that the test controls. */
function start({ onTestFinished }: Context, host: string, port: number, counts: number[][] = []) {
  const lines: string[] = [];
  const lookups: Lookup[] = [];
  let waiting: { periods: number; resolve: () => void }[] = [];
  const requests = () => {
    for (const one of waiting) if (--one.periods === 0) one.resolve();
    waiting = waiting.filter(({ periods }) => periods > 0);
    return counts.shift() ?? [0];
  };
  const find = (name: string) =>
    new Promise<Found>((resolve, reject) => {
      lookups.push({ name, give: resolve, fail: () => reject(new Error(`${name} was not found (ENOTFOUND)`)) });
    });
  onTestFinished(startStatsd({ host, port }, requests, (line) => lines.push(line), find));
  const periods = (count: number) => new Promise<void>((resolve) => waiting.push({ periods: count, resolve }));
  return { lines, lookups, periods };
}

async function packet(socket: Socket): Promise<string> {
  const [message] = await once(socket, 'message');
  return String(message);
}

describe.concurrent('statsd', () => {
  test.for(['127.0.0.1', '::1'])('pushes to %s what all workers have answered in a second', async (host, context) => {
    const { expect } = context;
    const socket = await listen(context, host);
    // The second worker's counter wraps around.
    const { lines, lookups } = start(context, host, socket.address().port, [
      [5, 2 ** 32 - 10],
      [505, 490],
    ]);
    const rate = Number(/^vrypt\.rps:(\d+)\|g$/.exec(await packet(socket))?.[1]);
    expect(rate).toBeGreaterThan(0);
    expect(rate).toBeLessThanOrEqual(1002);
    expect(await packet(socket)).toMatch(/^vrypt\.rps:\d+\|g$/);
    expect({ lines, lookups }).toEqual({ lines: [], lookups: [] });
  });

  test('finds a name that has only an IPv6 address', async (context) => {
    const socket = await listen(context, '::1');
    const { lines, lookups } = start(context, 'metrics', socket.address().port);
    lookups[0]?.give({ addresses: ['::1'], ttlMs: undefined });
    context.expect(await packet(socket)).toBe('vrypt.rps:0|g');
    context.expect(lines).toEqual([]);
  });

  test('goes on silently to the next address if nothing listens at the first', async (context) => {
    const socket = await listen(context, '::1');
    const { lines, lookups } = start(context, 'metrics', socket.address().port);
    lookups[0]?.give({ addresses: ['127.0.0.1', '::1'], ttlMs: undefined });
    context.expect(await packet(socket)).toBe('vrypt.rps:0|g');
    context.expect(lines).toEqual([]);
  });

  test('looks up one name at a time, and sends nothing late', async (context) => {
    const { expect } = context;
    const socket = await listen(context, '127.0.0.1');
    const counts = [[0], [1000], [2000], [2000], [2000], [2000], [2000], [2000]];
    const { lines, lookups, periods } = start(context, 'metrics', socket.address().port, counts);
    await periods(4);
    expect(lookups.map(({ name }) => name)).toEqual(['metrics']);
    lookups[0]?.give({ addresses: ['127.0.0.1'], ttlMs: undefined });
    expect(await packet(socket)).toBe('vrypt.rps:0|g');
    expect(lines).toEqual([]);
  });

  test('keeps an address for its time to live, and uses it while it looks up the next', async (context) => {
    const { expect } = context;
    const [old, next] = [await listen(context, '127.0.0.1'), createSocket('udp4')];
    const { port } = old.address();
    next.bind(port, '127.0.0.2');
    await once(next, 'listening');
    context.onTestFinished(() => void next.close());
    const { lookups, periods } = start(context, 'metrics', port);
    lookups[0]?.give({ addresses: ['127.0.0.1'], ttlMs: 1 });
    await packet(old);
    await periods(1);
    expect(lookups.length).toBe(2);
    await packet(old);
    lookups[1]?.give({ addresses: ['127.0.0.2'], ttlMs: undefined });
    await packet(next);
    await periods(2);
    expect(lookups.length).toBe(2);
  });

  test('reports once that a name is not found, tries again, and reports when it is', async (context) => {
    const { expect } = context;
    const socket = await listen(context, '127.0.0.1');
    const { port } = socket.address();
    const { lines, lookups, periods } = start(context, 'metrics', port);
    lookups[0]?.fail();
    await periods(7);
    lookups[1]?.fail();
    await periods(7);
    expect(lines).toEqual(['metrics was not found (ENOTFOUND)']);
    expect(lookups.length).toBe(3);
    lookups[2]?.give({ addresses: ['127.0.0.1'], ttlMs: undefined });
    expect(await packet(socket)).toBe('vrypt.rps:0|g');
    expect(lines).toEqual(['metrics was not found (ENOTFOUND)', `metrics:${port} is found again`]);
  }, 40_000);

  test.for(['127.0.0.1', '::1'])(
    'reports once that nothing listens at %s, and once that something does',
    { timeout: 40_000 },
    async (host, context) => {
      const { expect } = context;
      const port = await freePort();
      const { lines, periods } = start(context, host, port);
      const shown = host === '::1' ? `[::1]:${port}` : `127.0.0.1:${port}`;
      await periods(6);
      expect(lines).toEqual([`${shown} cannot be reached (ECONNREFUSED)`]);
      const socket = await listen(context, host, port);
      await packet(socket);
      await expect
        .poll(() => lines, { timeout: 20_000 })
        .toEqual([`${shown} cannot be reached (ECONNREFUSED)`, `${shown} is reached again`]);
    },
  );

  test('reports once that the address is unreachable', async (context) => {
    const { expect } = context;
    // Broadcast without SO_BROADCAST is refused before anything is sent.
    const { lines, periods } = start(context, '255.255.255.255', 9);
    await periods(4);
    expect(lines.length).toBe(1);
    expect(lines[0]).toMatch(/^255\.255\.255\.255:9 cannot be reached \(E\w+\)$/);
  });
});
