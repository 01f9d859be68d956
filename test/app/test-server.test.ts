import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type App,
  events,
  json,
  type Options,
  reply,
  stream,
  type TestServer,
  test as testApp,
} from '../../src/index.ts';
import { get, request, startServer } from './start-server.ts';

async function start<S>(app: App<S>, options?: Options): Promise<TestServer<S>> {
  const server = await testApp(app, options);
  onTestFinished(() => server.close());
  return server;
}

async function* forever(): AsyncGenerator<string> {
  for (;;) yield 'more';
}

describe('fetch', () => {
  test('asks the app as a client would, streams and large content included', async () => {
    const large = 'x'.repeat(300_000);
    const server = await start({
      routes: {
        '/echo': async (call) => reply(200, { 'X-Type': call.header('content-type') ?? '' }, await call.body.text()),
        '/stream': () => stream(200, {}, (out) => void out.write(large)),
        '/empty': () => reply(204),
      },
      fetch: (asked) => Response.json({ url: asked.url, method: asked.method }),
    });
    const echo = await server.fetch('/echo', { method: 'POST', body: large });
    expect([echo.status, echo.headers.get('x-type'), await echo.text()]).toEqual([
      200,
      'text/plain;charset=UTF-8',
      large,
    ]);
    expect(await (await server.fetch('/stream')).text()).toBe(large);
    expect((await server.fetch('/empty')).status).toBe(204);
    expect(await (await server.fetch('http://example.com/a?b')).json()).toEqual({
      url: 'http://example.com/a?b',
      method: 'GET',
    });
    const head = await server.fetch(new Request('http://localhost/echo', { method: 'HEAD' }));
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, '0', null]);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('pieces'));
        controller.close();
      },
    });
    const streamed = await server.fetch('/echo', { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(await streamed.text()).toBe('pieces');
  });

  test.each([
    [
      'a stream',
      () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(9)) })),
    ],
    ['a generator', () => new Response(forever() as never)],
  ])('%s that never runs dry leaves others their turn', async (_what, endless) => {
    const server = await start({ routes: { '/other': () => reply(200, {}, 'other') }, fetch: endless });
    const greedy = server.connect();
    greedy.write(get('/'));
    await greedy.read();
    expect(await (await server.fetch('/other')).text()).toBe('other');
    greedy.reset();
  });

  test.each([204, 205, 304])('HEAD is answered with %d, whatever length is given', async (status) => {
    const server = await start({ fetch: () => new Response(null, { status, headers: { 'Content-Length': '5' } }) });
    for (const method of ['GET', 'HEAD']) expect((await server.fetch('/', { method })).status).toBe(status);
  });

  test('what is cut off is an error', async () => {
    const server = await start({
      handle: () =>
        stream(200, {}, async (out) => {
          await out.write('part');
          throw new Error('broken');
        }),
    });
    const answer = server.fetch('/').then((response) => response.text());
    await expect(answer).rejects.toThrow();
  });
});

describe('send', () => {
  const app: App = {
    routes: {
      '/made': reply(200, { 'X-A': 'a' }, 'made'),
      '/late': async (call) => json(await call.body.text()),
      '/stream': () => stream(200, {}, (out) => void out.write('piece')),
      '/hint': (call) => {
        call.inform(103, { Link: '</a>' });
        return reply(200, {}, 'after');
      },
    },
  };

  test('gives the bytes of each answer, of pipelined requests too', async () => {
    const server = await start(app);
    const answers = await server.send(
      get('/made'),
      request('HEAD', '/made'),
      `${get('/stream')}${get('/hint')}`,
      request('POST', '/late', 'Content-Length: 2\r\n', 'ab'),
      Buffer.from(get('/none')),
    );
    expect(answers.map((bytes) => bytes.toString().split('\r\n')[0])).toEqual([
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 103 Early Hints',
      'HTTP/1.1 200 OK',
      'HTTP/1.1 404 Not Found',
    ]);
    const [made, head, streamed, , late] = answers.map(String);
    expect(made).toMatch(/\r\nX-A: a\r\nContent-Length: 4\r\n[\s\S]*\r\n\r\nmade$/);
    expect(head).toMatch(/\r\n\r\n$/);
    expect(streamed).toMatch(/\r\n\r\n5\r\npiece\r\n0\r\n\r\n$/);
    expect(late).toMatch(/\r\n\r\n"ab"$/);
  });

  test('refusals are answers, and end it', async () => {
    const server = await start(app);
    const [first, second, ...others] = await server.send(get('/made'), 'GET / HTTP/1.1\r\n\r\n', get('/made'));
    expect([`${first}`.slice(9, 12), `${second}`.slice(9, 12), others.length]).toEqual(['200', '400', 0]);
  });

  test('the bytes are those of a live server', async () => {
    const { connect } = await startServer(app);
    const client = await connect();
    const withoutDate = (text: string) => text.replace(/Date: .*\r\n/g, '');
    const server = await start(app);
    for (const path of ['/made', '/none', '/stream']) {
      const [inMemory] = await server.send(`${get(path, 'Connection: close\r\n')}`);
      const live = await connect();
      expect(withoutDate(`${inMemory}`)).toBe(withoutDate(await live.send(get(path, 'Connection: close\r\n')).end()));
    }
    client.close();
  });
});

describe('connect', () => {
  test('a connection byte by byte, its end, and what it is told', async () => {
    const server = await start({ handle: (call) => reply(200, {}, call.path) });
    const client = server.connect();
    for (const byte of get('/slow')) client.write(byte);
    expect(String(await client.read())).toMatch(/\r\n\r\n\/slow$/);
    expect(client.isClosed).toBe(false);
    client.end();
    expect([(await client.read()).length, client.isClosed]).toEqual([0, true]);
  });

  test('a client that does not read holds a stream back', async () => {
    let pieces = 0;
    const server = await start({
      handle: () =>
        stream(200, {}, async (out) => {
          for (; pieces < 10; pieces++) await out.write('x'.repeat(100_000));
        }),
    });
    const client = server.connect();
    client.pause();
    client.write(get('/'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(pieces).toBe(0);
    client.resume();
    client.end();
    let size = 0;
    for (let bytes = await client.read(); bytes.length > 0; bytes = await client.read()) size += bytes.length;
    expect([pieces, size > 1_000_000]).toEqual([10, true]);
  });

  test('a client that goes aborts the signal', async () => {
    const aborted = vi.fn();
    const server = await start({
      handle(call) {
        call.signal.addEventListener('abort', aborted);
        return new Promise(() => {});
      },
    });
    const client = server.connect();
    client.write(get('/'));
    client.reset();
    expect(aborted).toHaveBeenCalledOnce();
  });
});

describe('advance', () => {
  test('moves limits on time, exactly', async () => {
    const server = await start(
      { handle: () => new Promise(() => {}) },
      { limits: { headerMs: 5000, handlerMs: 60_000 } },
    );
    const slow = server.connect();
    slow.write('GET / HT');
    const waiting = server.connect();
    waiting.write(get('/'));
    server.advance(4999);
    expect(slow.isClosed).toBe(false);
    server.advance(1);
    expect([String(await slow.read()).slice(9, 12), slow.isClosed]).toEqual(['408', true]);
    server.advance(54_000);
    expect(waiting.isClosed).toBe(false);
    server.advance(1000);
    expect(String(await waiting.read()).slice(9, 12)).toBe('503');
    const idle = server.connect();
    server.advance(75_000);
    expect(idle.isClosed).toBe(true);
  });

  test('moves Date and heartbeats', async () => {
    const server = await start({
      routes: { '/': reply(200), '/events': (call) => events(call, (out) => out.closed, { heartbeatMs: 1000 }) },
    });
    const dateOf = async () => Date.parse((await server.fetch('/')).headers.get('date') ?? '');
    const before = await dateOf();
    server.advance(60_000);
    expect((await dateOf()) - before).toBe(60_000);
    const client = server.connect();
    client.write(get('/events'));
    await client.read();
    server.advance(3000);
    expect(String(await client.read())).toContain(':\n\n');
  });
});

test('start and stop are called, and the state is there', async () => {
  const stop = vi.fn();
  const server = await testApp({ start: () => ({ name: 'state' }), stop, handle: (call) => json(call.state) });
  expect(await (await server.fetch('/')).json()).toEqual({ name: 'state' });
  await server.close();
  expect(stop.mock.calls).toEqual([[{ name: 'state' }]]);
});
