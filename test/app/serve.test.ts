import { describe, expect, test, vi } from 'vitest';
import { Answer, json, reply, type Server, serve, stream } from '../../src/index.ts';
import { get, request, startServer } from './start-server.ts';

describe('what an app is asked', () => {
  test('routes, then handle, then fetch, then 404', async () => {
    const { connect } = await startServer({
      routes: {
        '/route': () => reply(200, {}, 'route'),
        '/passed': () => undefined,
        '/late': async () => undefined,
        '/made': new Answer(200, {}, 'made'),
      },
      handle: (call) => (call.path === '/handle' ? reply(200, {}, 'handle') : undefined),
      fetch: (asked) => (asked.url.endsWith('/none') ? undefined : new Response('fetch')),
    });
    const client = await connect();
    const bodies: string[] = [];
    for (const path of ['/route', '/passed', '/late', '/made', '/handle', '/none']) {
      bodies.push((await client.send(get(path)).response()).body);
    }
    expect(bodies).toEqual(['route', 'fetch', 'fetch', 'made', 'handle', '404 Not Found\n']);
  });

  test('methods of a route: 405 with Allow, HEAD by GET, OPTIONS by us', async () => {
    const { connect } = await startServer({
      routes: { '/a/:id': { GET: (call) => json(call.params), PUT: { fetch: ({ params }) => Response.json(params) } } },
    });
    const client = await connect();
    expect((await client.send(get('/a/1')).response()).body).toBe('{"id":"1"}');
    expect((await client.send(request('PUT', '/a/2')).response()).body).toBe('{"id":"2"}');
    const refused = await client.send(request('DELETE', '/a/1')).response();
    expect(refused.status).toBe(405);
    expect(refused.head).toContain('Allow: GET, PUT, HEAD, OPTIONS');
    const options = await client.send(request('OPTIONS', '/a/1')).response();
    expect([options.status, /Allow: (.*)/.exec(options.head)?.[1]]).toEqual([204, 'GET, PUT, HEAD, OPTIONS']);
    const head = await client.send(request('HEAD', '/a/1')).response(true);
    expect([head.status, head.head.includes('Content-Length: 10')]).toEqual([200, true]);
    expect((await client.send(get('/a/%ff')).response()).status).toBe(400);
  });
});

describe('errors', () => {
  test('error answers what handlers fail with, and the connection goes on', async () => {
    const { connect } = await startServer({
      routes: {
        '/sync': () => {
          throw new Error('one');
        },
        '/async': async () => {
          throw new Error('two');
        },
        '/fetch': {
          fetch: async () => {
            throw new Error('three');
          },
        },
        '/ok': () => reply(200, {}, 'ok'),
      },
      error: (error, call) => {
        const text = `${call.path} ${(error as Error).message}`;
        return call.path === '/async' ? new Response(text, { status: 501 }) : reply(500, {}, text);
      },
    });
    const client = await connect();
    expect(await client.send(get('/sync')).response()).toMatchObject({ status: 500, body: '/sync one' });
    expect(await client.send(get('/async')).response()).toMatchObject({ status: 501, body: '/async two' });
    expect(await client.send(get('/fetch')).response()).toMatchObject({ status: 500, body: '/fetch three' });
    expect((await client.send(get('/ok')).response()).body).toBe('ok');
  });

  test('done is told of every answer', async () => {
    const done = vi.fn();
    const { connect } = await startServer({
      handle: () => reply(201, {}, 'four'),
      done: (call, { status, bytes, isAborted }) => done(call.method, call.path, status, bytes, isAborted),
    });
    await (await connect()).send(get('/x?y')).response();
    expect(done.mock.calls).toEqual([['GET', '/x', 201, 4, false]]);
  });
});

describe('state', () => {
  test('is what start returns, and stop gets it', async () => {
    const stop = vi.fn();
    const { server, connect } = await startServer({
      start: async ({ index, count }) => ({ name: `${index} of ${count}` }),
      stop,
      handle: (call) => reply(200, {}, call.state.name),
    });
    expect((await (await connect()).send(get('/')).response()).body).toBe('0 of 1');
    expect(server.state).toEqual({ name: '0 of 1' });
    expect(stop).not.toHaveBeenCalled();
    await server.stop();
    expect(stop.mock.calls).toEqual([[{ name: '0 of 1' }]]);
  });

  test('a start that fails is what ready rejects with', async () => {
    const start = () => Promise.reject(new Error('no database'));
    await expect(serve({ port: 0, start, handle: () => undefined }).ready).rejects.toThrow('no database');
  });
});

describe('the fetch level', () => {
  test('gets the request, and its answers are sent as they were given', async () => {
    const seen: unknown[] = [];
    const { server, port, url } = await startServer({
      async fetch(asked, given) {
        seen.push(given, asked.ip, asked.url, asked.headers.get('x-a'), given.requestIP(asked)?.family);
        given.timeout(asked, 5);
        const text = await asked.text();
        return new Response(`got ${text}`, {
          status: 201,
          statusText: 'Yes',
          headers: { 'X-B': 'b', Connection: 'x' },
        });
      },
    });
    const answer = await fetch(url, { method: 'POST', body: 'sent', headers: { 'X-A': 'a' } });
    expect([answer.status, answer.statusText, answer.headers.get('x-b')]).toEqual([201, 'Yes', 'b']);
    expect(await answer.text()).toBe('got sent');
    expect(answer.headers.get('content-length')).toBe('8');
    expect(seen).toEqual([server, '127.0.0.1', `http://127.0.0.1:${port}/`, 'a', 'IPv4']);
    expect(server.url.href).toBe(url);
  });

  test('streams responses; a client that goes cancels them even while the source stalls', async () => {
    const cancelled = Promise.withResolvers<void>();
    const { connect, url } = await startServer({
      fetch(asked) {
        if (asked.url.endsWith('/stall')) {
          return new Response(
            new ReadableStream({
              start: (controller) => controller.enqueue(new TextEncoder().encode('first')),
              cancel: () => cancelled.resolve(),
            }),
          );
        }
        return new Response(
          (async function* () {
            yield new TextEncoder().encode('a');
            yield new TextEncoder().encode('b');
          })() as never,
        );
      },
    });
    const streamed = await fetch(url);
    expect([streamed.headers.get('transfer-encoding'), await streamed.text()]).toEqual(['chunked', 'ab']);
    const client = await connect();
    await client.send(get('/stall')).response();
    client.reset();
    await cancelled.promise;
  });

  test('HEAD cancels the stream of its answer, and says the length that it was given', async () => {
    const cancelled = vi.fn();
    const { connect } = await startServer({
      fetch: (asked) =>
        asked.url.endsWith('/stream')
          ? new Response(new ReadableStream({ cancel: cancelled }))
          : new Response(null, { headers: { 'Content-Length': '12' } }),
    });
    const client = await connect();
    await client.send(request('HEAD', '/stream')).response(true);
    expect(cancelled).toHaveBeenCalledOnce();
    expect((await client.send(request('HEAD', '/')).response(true)).head).toContain('Content-Length: 12');
    expect((await client.send(get('/')).response()).head).toContain('Content-Length: 0');
  });

  test('a request that is held beyond its answer never shows another one', async () => {
    const held: Request[] = [];
    const { connect } = await startServer({
      fetch(asked) {
        held.push(asked);
        if (asked.url.endsWith('/wait')) asked.waitUntil(Promise.resolve());
        return new Response('ok');
      },
    });
    const client = await connect();
    for (const path of ['/one', '/wait', '/three']) await client.send(get(path)).response();
    expect(() => (held[0] as Request).method).toThrow('must not be used after');
    expect((held[1] as Request).url).toContain('/wait');
    expect((held[1] as Request).headers.get('host')).toBe('a');
  });

  test.each([
    ['text', () => new Response('bye', { headers: { Connection: 'close' } })],
    ['a stream', () => new Response(new Blob(['bye']).stream(), { headers: { Connection: 'x-option , Close' } })],
    ['nothing, later', async () => new Response(null, { status: 204, headers: { Connection: 'close' } })],
  ])('Connection: close with %s ends the connection after it', async (_, fetch) => {
    const { connect } = await startServer({ fetch });
    const client = await connect();
    const { head } = await client.send(get('/').repeat(2)).response();
    expect(head.match(/^connection: .*$/gim)).toEqual(['Connection: close']);
    expect(await client.end()).not.toContain('HTTP/1.1');
  });

  test('Connection: close is no option of its own where it is part of another', async () => {
    const { connect } = await startServer({
      fetch: () => new Response('stay', { headers: { Connection: 'keep-alive, closed' } }),
    });
    const client = await connect();
    const answers = await client.send(get('/').repeat(2)).responses(2);
    expect(answers.map(({ body }) => body)).toEqual(['stay', 'stay']);
  });

  test('a response that is none is an error', async () => {
    const errors: unknown[] = [];
    const { connect } = await startServer({
      fetch: () => 'text' as never,
      error(error) {
        errors.push(error);
        return reply(500);
      },
    });
    expect((await (await connect()).send(get('/')).response()).status).toBe(500);
    expect(errors[0]).toMatchObject({ message: 'fetch must return a Response, got string' });
  });
});

describe('the end', () => {
  test('stop answers what is under way, then resolves; what was idle is closed', async () => {
    const go = Promise.withResolvers<void>();
    const called = Promise.withResolvers<void>();
    const { server, connect } = await startServer({
      async handle() {
        called.resolve();
        await go.promise;
        return reply(200, {}, 'late');
      },
    });
    const idle = await connect();
    const busy = await connect();
    busy.send(get('/'));
    await called.promise;
    expect(server.pendingRequests).toBe(1);
    const stopped = server.stop();
    idle.endSending();
    await idle.end();
    go.resolve();
    const answer = await busy.response();
    expect([answer.body, answer.head.includes('Connection: close')]).toEqual(['late', true]);
    busy.endSending();
    await stopped;
    expect(server.pendingRequests).toBe(0);
    await expect(connect()).rejects.toThrow('ECONNREFUSED');
  });

  test('what is left after the grace is cut off, and its signal aborts', async () => {
    const aborted = Promise.withResolvers<Error>();
    const called = Promise.withResolvers<void>();
    const { server, connect } = await startServer({
      handle(call) {
        call.signal.addEventListener('abort', () => aborted.resolve(call.signal.reason as Error));
        called.resolve();
        return new Promise(() => {});
      },
    });
    (await connect()).send(get('/'));
    await called.promise;
    await server.stop({ graceMs: 10 });
    // As after `controller.abort()`, by which programs tell it from faults.
    expect(await aborted.promise).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
  });

  test('the signal of the options stops it, and so does leaving its scope', async () => {
    const controller = new AbortController();
    const stop = vi.fn();
    const server = await serve({ port: 0, handle: () => undefined, signal: controller.signal, stop }).ready;
    controller.abort();
    await server.stop();
    expect(stop).toHaveBeenCalledOnce();
    let used: Server;
    {
      await using other = await serve({ port: 0, handle: () => undefined }).ready;
      used = other;
    }
    await expect(fetch(used.url)).rejects.toThrow();
  });

  test('reload serves another app on the same connections', async () => {
    const { server, connect } = await startServer({ handle: () => reply(200, {}, 'old') });
    const client = await connect();
    expect((await client.send(get('/')).response()).body).toBe('old');
    server.reload({ fetch: () => new Response('new') });
    expect((await client.send(get('/')).response()).body).toBe('new');
  });
});

describe('where it listens', () => {
  test('on a Unix socket, also where a file was left behind', async () => {
    const { mkdtemp, rm } = await import('node:fs/promises');
    const folder = await mkdtemp('/tmp/vrypt-app-');
    const unix = `${folder}/socket`;
    const handle = () => reply(200, {}, 'unix');
    const server = await serve({ unix, handle }).ready;
    await expect(serve({ unix, handle }).ready).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { request: ask } = await import('node:http');
    const text = await new Promise<string>((resolve, reject) => {
      ask({ socketPath: unix, path: '/' }, (answer) => answer.on('data', (bytes) => resolve(`${bytes}`)))
        .on('error', reject)
        .end();
    });
    expect([text, server.port]).toEqual(['unix', 0]);
    await server.stop(true);
    await rm(folder, { recursive: true });
  });

  test('a port in use is an error with its code', async () => {
    const { port } = await startServer({ handle: () => undefined });
    const second = serve({ port, hostname: '127.0.0.1', handle: () => undefined });
    await expect(second.ready).rejects.toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'listen',
      message: expect.stringMatching(/^listen EADDRINUSE: address already in use \S+:\d+$/),
    });
  });

  test('behind a trusted proxy: the client is what the proxy says', async () => {
    const { connect } = await startServer({
      trustProxy: 'loopback',
      handle: (call) => (call.path === '/call' ? reply(200, {}, call.remote.address) : undefined),
      fetch: (asked, server) => new Response(`${asked.ip} ${server.requestIP(asked)?.address} ${asked.url}`),
    });
    const client = await connect();
    const fields = 'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n';
    expect((await client.send(get('/call', fields)).response()).body).toBe('192.0.2.7');
    expect((await client.send(get('/', fields)).response()).body).toBe('192.0.2.7 192.0.2.7 https://a/');
    const more = `${fields}X-Forwarded-Host: example.com\r\n`;
    expect((await client.send(get('/', more)).response()).body).toContain('https://example.com/');
    expect((await client.send(get('/')).response()).body).toBe('127.0.0.1 127.0.0.1 http://a/');
  });
});

test('streams of the fast level', async () => {
  const { url } = await startServer({
    handle: () =>
      stream(200, {}, async (out) => {
        await out.write('one ');
        await out.write('two');
      }),
  });
  expect(await (await fetch(url)).text()).toBe('one two');
});
