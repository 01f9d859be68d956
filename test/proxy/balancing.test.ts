/** Which upstream gets a request: strategies, cookies, health. */
import { createServer, type Server } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProxySettings } from '../../src/proxy/settings.ts';
import { type StartedProxy, startProxy, upstream } from './start-proxy.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

interface Origin {
  readonly name: string;
  readonly port: number;
  readonly server: Server;
  /** What its health check answers. */
  health: number;
  checks: number;
}

async function startOrigins(...names: string[]): Promise<Origin[]> {
  return Promise.all(
    names.map(async (name) => {
      const server = createServer((request, response) => {
        if (request.url === '/health') {
          origin.checks++;
          response.statusCode = origin.health;
        }
        response.end(name);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const origin: Origin = {
        name,
        port: (server.address() as { port: number }).port,
        server,
        health: 200,
        checks: 0,
      };
      return origin;
    }),
  );
}

async function bodies({ connect }: StartedProxy, count: number, fields = ''): Promise<string> {
  const client = await connect();
  let all = '';
  for (let i = 0; i < count; i++) {
    client.send(GET.replace('\r\n\r\n', `\r\n${fields}\r\n`));
    all += (await client.response()).body;
  }
  return all;
}

describe('round robin', () => {
  test('takes them in turn', async () => {
    const origins = await startOrigins('a', 'b', 'c');
    const proxy = await startProxy(origins.map(({ port }) => upstream(port)));
    expect(await bodies(proxy, 7)).toBe('abcabca');
  });

  test('keeps to weights, smoothly', async () => {
    const [a, b, c] = (await startOrigins('a', 'b', 'c')) as [Origin, Origin, Origin];
    const proxy = await startProxy([upstream(a.port, { weight: 5 }), upstream(b.port), upstream(c.port)]);
    expect(await bodies(proxy, 7)).toBe('aabacaa');
  });

  test('gives nothing to a weight of 0, and to backups only when all others are gone', async () => {
    const [a, b, c] = (await startOrigins('a', 'b', 'c')) as [Origin, Origin, Origin];
    const list = [upstream(a.port), upstream(b.port, { weight: 0 }), upstream(c.port, { isBackup: true })];
    const passive = { maxFails: 1, windowMs: 10_000, backOffMs: 60_000, maxBackOffMs: 60_000 };
    const proxy = await startProxy(list, { settings: { passive } });
    expect(await bodies(proxy, 3)).toBe('aaa');
    a.server.closeAllConnections();
    a.server.close();
    expect(await bodies(proxy, 3)).toBe('ccc');
    expect(proxy.proxy.states().map(({ isHealthy }) => isHealthy)).toEqual([false, true, true]);
  });

  test('leaves one out that is being drained', async () => {
    const origins = await startOrigins('a', 'b');
    const proxy = await startProxy(origins.map(({ port }) => upstream(port)));
    expect(proxy.proxy.drain(`http://127.0.0.1:${origins[0]?.port}`)).toBe(true);
    expect(await bodies(proxy, 3)).toBe('bbb');
    expect(proxy.proxy.drain(`http://127.0.0.1:${origins[0]?.port}`, false)).toBe(true);
    expect(new Set(await bodies(proxy, 4))).toEqual(new Set('ab'));
    expect(proxy.proxy.drain('http://nobody')).toBe(false);
  });
});

test('least_conn prefers the one with the fewest requests', async () => {
  const held: (() => void)[] = [];
  const server = createServer((_request, response) => void held.push(() => response.end('slow')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void server.close());
  const [b] = (await startOrigins('b')) as [Origin];
  const list = [upstream((server.address() as { port: number }).port), upstream(b.port)];
  const proxy = await startProxy(list, { settings: { strategy: 'least_conn' } });
  const slow = await proxy.connect();
  slow.send(GET);
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await bodies(proxy, 5)).toBe('bbbbb');
  held[0]?.();
  expect((await slow.response()).body).toBe('slow');
});

test('random_two reaches all of them', async () => {
  const origins = await startOrigins('a', 'b', 'c');
  const proxy = await startProxy(
    origins.map(({ port }) => upstream(port)),
    { settings: { strategy: 'random_two' } },
  );
  expect(new Set(await bodies(proxy, 60))).toEqual(new Set('abc'));
});

test('ip_hash keeps a client with its upstream, and spreads clients', async () => {
  const origins = await startOrigins('a', 'b', 'c');
  const list = origins.map(({ port }) => upstream(port));
  const proxy = await startProxy(list, { settings: { strategy: 'ip_hash' }, trusts: ['loopback'] });
  const chosen = new Map<string, string>();
  for (let i = 0; i < 30; i++) {
    const got = await bodies(proxy, 3, `X-Forwarded-For: 192.0.2.${i}\r\n`);
    expect(new Set(got).size).toBe(1);
    chosen.set(`${i}`, got[0] as string);
  }
  expect(new Set(chosen.values())).toEqual(new Set('abc'));
});

test('a cookie keeps a client with its upstream, for as long as that is there', async () => {
  const origins = await startOrigins('a', 'b');
  const sticky = { cookie: 'where', maxAgeS: 60, isSecure: true };
  const passive = { maxFails: 1, windowMs: 10_000, backOffMs: 60_000, maxBackOffMs: 60_000 };
  const settings: Partial<ProxySettings> = { sticky, passive };
  const proxy = await startProxy(
    origins.map(({ port }) => upstream(port)),
    { settings },
  );
  const client = await proxy.connect();
  const first = await client.send(GET).response();
  const [, field] = /^Set-Cookie: (.*)$/m.exec(first.head) ?? [];
  expect(field).toMatch(/^where=[0-9a-z]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=60; Secure\r?$/);
  const cookie = `Cookie: x=y; ${field?.split(';')[0]}; z=1\r\n`;
  expect(await bodies(proxy, 5, cookie)).toBe(first.body.repeat(5));
  const kept = origins.find(({ name }) => name === first.body) as Origin;
  const other = origins.find(({ name }) => name !== first.body) as Origin;
  kept.server.closeAllConnections();
  kept.server.close();
  expect(await bodies(proxy, 2, cookie)).toBe(other.name.repeat(2));
});

describe('health checks', () => {
  const health = {
    path: '/health',
    intervalMs: 30,
    timeoutMs: 2000,
    rise: 2,
    fall: 2,
    expected: { from: 200, to: 299 },
    host: null,
  };

  async function becomes({ proxy }: StartedProxy, healthy: readonly boolean[]): Promise<void> {
    const wanted = healthy.join();
    const states = () =>
      proxy
        .states()
        .map(({ isHealthy }) => isHealthy)
        .join();
    while (states() !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  test('take an upstream out and bring it back', async () => {
    const [a, b] = (await startOrigins('a', 'b')) as [Origin, Origin];
    const proxy = await startProxy([upstream(a.port), upstream(b.port)], { settings: { health } });
    a.health = 500;
    await becomes(proxy, [false, true]);
    expect(await bodies(proxy, 3)).toBe('bbb');
    a.health = 204;
    await becomes(proxy, [true, true]);
    expect(new Set(await bodies(proxy, 4))).toEqual(new Set('ab'));
  });

  test('leave nothing to ask: 503', async () => {
    const [a] = (await startOrigins('a')) as [Origin];
    const proxy = await startProxy(a.port, { settings: { health } });
    a.health = 404;
    await becomes(proxy, [false]);
    const client = await proxy.connect();
    expect((await client.send(GET).response()).status).toBe(503);
    expect(proxy.failures.at(-1)).toMatchObject({ reason: 'noneHealthy', method: 'GET', target: '/', outcome: 503 });
  });

  test('stop with the proxy', async () => {
    const [a] = (await startOrigins('a')) as [Origin];
    const proxy = await startProxy(a.port, { settings: { health } });
    while (a.checks < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    proxy.proxy.close();
    const { checks } = a;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(a.checks - checks).toBeLessThanOrEqual(1);
  });
});
