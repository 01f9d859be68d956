/** What `serve()` and its relatives say of apps and options that are not valid. */
import { Elysia } from 'elysia';
import { Hono } from 'hono';
import { AutoRouter } from 'itty-router';
import { describe, expect, onTestFinished, test } from 'vitest';
import { files, reply, serve, test as testApp } from '../../src/index.ts';
import { startServer } from './start-server.ts';

const handle = () => reply(200, {}, 'handle');
const message = () => {};

type Given = Readonly<Record<string, unknown>>;

test('what a module for Cloudflare exports beside fetch is let pass', async () => {
  const module = { fetch: () => new Response('a'), scheduled: message, queue: message, email: message };
  const server = await testApp(module as never);
  onTestFinished(() => server[Symbol.asyncDispose]());
  expect(await (await server.fetch('/')).text()).toBe('a');
});

describe('an app', () => {
  test.each<[unknown, string]>([
    [undefined, 'an app must be an object with at least one of routes, handle and fetch, got undefined'],
    [handle, 'an app must be an object with at least one of routes, handle and fetch, got a function'],
    [{}, 'an app must have at least one of routes, handle and fetch'],
    [{ port: 0, handle: undefined }, 'an app must have at least one of routes, handle and fetch'],
    [{ fetch: 'x' }, 'fetch must be a function, got "x"'],
    [{ handle, fetch: null }, 'fetch must be a function, got null'],
    [{ handle: handle() }, 'handle must be a function, got an object of the class'],
    [{ handle, error: 'x' }, 'error must be a function, got "x"'],
    [{ handle, start: true }, 'start must be a function, got true'],
    [{ handle, routes: [] }, 'routes must be an object, got a list'],
    [{ handle, websocket: message }, 'websocket must be an object, got a function'],
    [{ handle, websocket: {} }, 'websocket.message must be a function, got null'],
    [{ handel: handle }, 'handel is not an option, got a function; did you mean handle?'],
    [{ handle, prot: 3000 }, 'prot is not an option, got 3000; did you mean port?'],
    [{ handle, host: 'localhost' }, 'host is not an option, got "localhost"; use hostname'],
    [{ handle, websockets: { message } }, 'websockets is not an option, got an object; did you mean websocket?'],
    [{ handle, nonsense: -0.5 }, 'nonsense is not an option, got -0.5; there are routes, handle, fetch, websocket,'],
  ])('is refused: %j', async (app, text) => {
    expect(() => serve(app as never)).toThrow(text);
    await expect(testApp(app as never)).rejects.toThrow(text);
  });

  test('of a class may have what it likes, but no handler that is none', async () => {
    class Program {
      readonly title = 'x';
      handle() {
        return reply(200, {}, this.title);
      }
    }
    await using server = await testApp(new Program() as never);
    expect(await (await server.fetch('/')).text()).toBe('x');
    expect(() => serve(Object.assign(new Program(), { fetch: 1 }) as never)).toThrow('fetch must be a function, got 1');
  });

  test('is checked before it replaces another', async () => {
    const { server } = await startServer({ handle });
    expect(() => server.reload({ fetch: 1 } as never)).toThrow('fetch must be a function, got 1');
    expect(() => server.stop({ graceMs: '1s' } as never)).toThrow('graceMs must be a number of milliseconds from 0');
    expect(() => server.stop({ grace: 1 } as never)).toThrow('grace is not an option, got 1; did you mean graceMs?');
  });
});

describe('a route', () => {
  test.each<[unknown, string]>([
    [
      { get: handle },
      'the methods of routes["/a"] must be known ones in capital letters, got "get"; did you mean GET?',
    ],
    [{ GTE: handle }, 'got "GTE"; did you mean GET?'],
    [{ FETCHED: handle }, 'must be known ones in capital letters, got "FETCHED"'],
    [{ GET: 'x' }, 'routes["/a"].GET must be a function, a reply or an object with fetch, got "x"'],
    [
      {},
      'routes["/a"] must be a function, a reply or an object with fetch, or an object that has these by method, got an object',
    ],
    [new Response('x'), 'or an object that has these by method, got an object of the class Response'],
    ['x', 'or an object that has these by method, got "x"'],
    [null, 'or an object that has these by method, got null'],
  ])('is refused: %j', (route, text) => expect(() => serve({ routes: { '/a': route } } as never)).toThrow(text));

  test('may be of a method that few have', async () => {
    await using server = await testApp({
      routes: { '/a': { PROPFIND: handle, QUERY: handle, DELETE: undefined as never } },
    });
    for (const method of ['PROPFIND', 'QUERY']) expect((await server.fetch('/a', { method })).status).toBe(200);
    expect((await server.fetch('/a', { method: 'DELETE' })).status).toBe(405);
  });
});

describe('an option', () => {
  test.each<[Given, string]>([
    [{ port: 80_000 }, 'port must be a whole number from 0 to 65535, got 80000'],
    [{ port: '27214' }, 'port must be a whole number from 0 to 65535, got "27214"'],
    [{ port: null }, 'port must be a whole number from 0 to 65535, got null'],
    [{ hostname: '' }, 'hostname must be a string that is not empty, got ""'],
    [{ hostname: 127 }, 'hostname must be a string that is not empty, got 127'],
    [{ unix: true }, 'unix must be a string that is not empty, got true'],
    [{ unix: '/a', hostname: 'b' }, 'unix and hostname must not be given together'],
    [{ workers: '2' }, 'workers must be a whole number from 0 to 1024 or "auto", got "2"'],
    [{ isolation: 'fork' }, 'isolation must be "thread" or "process", got "fork"'],
    [{ http2: 'yes' }, 'http2 must be true or false, got "yes"'],
    [{ entry: 1 }, 'entry must be a path or URL, got 1'],
    [{ trustProxy: true }, `trustProxy must be false or "loopback" or a list of addresses and networks, got true`],
    [{ trustProxy: [1] }, 'a list of addresses and networks, got a list'],
    [{ signal: {} }, 'signal must be an AbortSignal, got an object'],
    [{ handleSignals: 1 }, 'handleSignals must be true or false, got 1'],
    [{ drainMs: -1 }, 'drainMs must be a whole number from 0, got -1'],
    [{ limits: 5 }, 'limits must be an object, got 5'],
    [{ limits: { idle: 1 } }, 'limits.idle is not an option, got 1; did you mean limits.idleMs?'],
    [{ limits: { idleMs: -1 } }, 'limits.idleMs must be a whole number from 0 or Infinity, got -1'],
    [{ limits: { maxBodySize: '1MB' } }, 'limits.maxBodySize must be a whole number from 0 or Infinity, got "1MB"'],
    [{ listen: 3000 }, 'listen must be an object or a list of them, got 3000'],
    [{ listen: [3000] }, 'listen[0] must be an object, got 3000'],
    [{ listen: {} }, 'listen must have one of port, unix and descriptor, got none of them'],
    [
      { listen: [{ port: 0 }, { port: 1, unix: '/a' }] },
      'listen[1] must have one of port, unix and descriptor, got port and unix',
    ],
    [{ listen: { port: 0, fd: 3 } }, 'listen.fd is not an option, got 3; use descriptor'],
    [{ listen: { port: '1' } }, 'listen.port must be a whole number from 0 to 65535, got "1"'],
    [{ listen: { port: 0, protocol: {} } }, 'listen.protocol.data must be a function, got null'],
    [{ listen: [{ port: 0, protocol: { data: message, opne: message } }] }, 'listen[0].protocol.opne is not an option'],
    [{ listen: { port: 0, datagrams: { message: 1 } } }, 'listen.datagrams.message must be a function, got 1'],
    [{ listen: { unix: '/a', datagrams: { message } } }, 'listen.datagrams and listen.unix must not be given together'],
    [{ tls: true }, 'tls must be an object, got true'],
    [{ tls: { certfile: 'a' } }, 'tls.certfile is not an option, got "a"; did you mean tls.certFile?'],
    [{ tls: { requestCert: true } }, 'tls.requestCert is not an option, got true; there are cert, key, certFile,'],
    [{ tls: { cert: 'x', key: 5 } }, 'tls.key must be PEM, as a string or bytes, got another number'],
    [{ tls: { selfSigned: true, passphrase: 1234 } }, 'tls.passphrase must be a string, got another number'],
    [
      { tls: { selfSigned: true, minVersion: 'TLSv1.1' } },
      'tls.minVersion must be "TLSv1.2" or "TLSv1.3", got "TLSv1.1"',
    ],
    [
      { tls: { certificates: [{ cert: 'x', kye: 'y' }] } },
      'tls.certificates[0].kye is not an option, got "y"; did you mean',
    ],
    [{ idleTimeout: '30' }, 'idleTimeout must be a whole number from 0, got "30"'],
  ])('is refused: %j', async (options, text) => {
    expect(() => serve({ handle, ...options } as never)).toThrow(text);
    await expect(testApp({ handle }, options as never)).rejects.toThrow(text);
  });

  test('that others set without being asked is let pass, and those of Bun that mean something do', async () => {
    const bun = {
      development: true,
      reusePort: true,
      id: 'x',
      maxRequestBodySize: 4,
      idleTimeout: 30,
      error: undefined,
    };
    const app = { ...bun, prot: undefined, fetch: async (request: Request) => new Response(await request.text()) };
    const { url } = await startServer(app as never);
    const asked = await fetch(url, { method: 'POST', body: 'abcd' });
    expect([await asked.text(), asked.headers.get('keep-alive')]).toEqual(['abcd', 'timeout=29']);
    expect((await fetch(url, { method: 'POST', body: 'abcde' })).status).toBe(413);
  });

  test('tls is none if it is what adapters for Bun pass without TLS, and an error with less', async () => {
    const none = { cert: undefined, key: undefined };
    const { server, url } = await startServer({ handle, tls: { ...none, passphrase: undefined } as never });
    expect(server.url.protocol).toBe('http:');
    expect(await (await fetch(url)).text()).toBe('handle');
    await expect(serve({ handle, port: 0, tls: none as never }).ready).rejects.toThrow('must have cert and key');
  });

  test('beside the app of test() counts as it does for serve()', async () => {
    await using server = await testApp({
      unix: '/no/such/folder/a',
      limits: { maxBodySize: 1 },
      handle: async (call) => reply(200, {}, await call.body.text()),
    });
    expect((await server.fetch('/', { method: 'POST', body: 'ab' })).status).toBe(413);
    await expect(testApp({ handle }, { handle } as never)).rejects.toThrow('handle is not an option, got a function');
  });

  test('of files() is checked too', async () => {
    const root = import.meta.dirname;
    for (const [options, text] of [
      [{ indx: 'a' }, 'indx is not an option, got "a"; did you mean index?'],
      [{ headers: {} }, 'headers is not an option, got an object; use fields'],
      [{ immutable: '/a' }, 'immutable must be a regular expression, got "/a"'],
      [{ limits: { maxFile: 1 } }, 'limits.maxFile is not an option, got 1; did you mean limits.maxFiles?'],
    ] as const) {
      await expect(files(root, options as never)).rejects.toThrow(text);
    }
    await expect(files(undefined as never)).rejects.toThrow('root must be a string that is not empty, got null');
  });
});

test('applications of frameworks are served as they are, and so are copies with options', async () => {
  const hono = new Hono().get('/', (c) => c.text('hono'));
  const elysia = new Elysia().get('/', () => 'elysia').onError(() => {});
  const itty = AutoRouter().get('/', () => 'itty');
  const answers: string[] = [];
  for (const app of [hono, { ...hono, hostname: '127.0.0.1' }, elysia, itty, { ...itty }]) {
    await using server = await testApp(app as never);
    answers.push(await (await server.fetch('/')).text());
    const live = await serve(Object.assign(Object.create(app), { port: 0 }) as never).ready;
    onTestFinished(() => live.stop(true));
  }
  expect(answers).toEqual(['hono', 'hono', 'elysia', '"itty"', '"itty"']);
});
