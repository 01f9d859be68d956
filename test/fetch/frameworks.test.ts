/** Unmodified frameworks: their handlers get our requests, and we read their responses. */
import { Elysia } from 'elysia';
import { WebStandardAdapter } from 'elysia/adapter/web-standard';
import { H3, proxyRequest, readBody } from 'h3';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { stream, streamSSE } from 'hono/streaming';
import { AutoRouter, error, cors as ittyCors, json, withContent } from 'itty-router';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  installGlobals,
  LazyRequest,
  Origin,
  type ResponseParts,
  responseParts,
  sourceOf,
} from '../../src/fetch/index.ts';
import { type Given, TestSource } from './source.ts';

const ORIGIN = new Origin('http', 'localhost:3000');
const JSON_FIELDS = [
  ['Host', 'example.com'],
  ['Content-Type', 'application/json'],
] as const;

type Handler = (request: never, ...rest: never[]) => unknown;

async function ask(fetch: Handler, given: Given, ...rest: unknown[]): Promise<ResponseParts> {
  const request = new LazyRequest(new TestSource(given), ORIGIN);
  return responseParts(await fetch(request as never, ...(rest as never[])));
}

function fieldOf(parts: ResponseParts, name: string): string | null {
  const at = parts.fields.findIndex((field, index) => index % 3 === 0 && field === name);
  return at < 0 ? null : (parts.fields[at + 2] as string);
}

/** As the engine sends it: pieces of a stream may be text too. */
async function textOf({ content }: ResponseParts): Promise<string> {
  if (content === null || typeof content === 'string') return content ?? '';
  const pieces: Buffer[] = [];
  for await (const piece of content instanceof Uint8Array ? [content] : content) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}

// Another of its helpers looks for `Bun.write` when the module is loaded.
Object.assign(globalThis, { Bun: { write() {} } });
const { getConnInfo } = await import('hono/bun');
Reflect.deleteProperty(globalThis, 'Bun');

beforeAll(() => installGlobals());

describe('Hono', () => {
  const app = new Hono();
  app.get('/', (c) => c.text('hello'));
  app.get('/user/:id', (c) => {
    c.header('X-Token', c.req.header('x-token') ?? 'none');
    return c.json({ id: c.req.param('id'), x: c.req.query('x'), url: c.req.url });
  });
  app.post('/json', async (c) => c.json(await c.req.json(), 201));
  app.post('/form', async (c) => c.json(await c.req.parseBody()));
  app.post('/twice', async (c) =>
    c.text(`${await c.req.text()} ${(await c.req.arrayBuffer()).byteLength} ${await (await c.req.blob()).text()}`),
  );
  app.get('/ip', (c) => c.json(getConnInfo(c)));
  app.get('/cookie', (c) => {
    setCookie(c, 'a', getCookie(c, 'in') ?? 'none');
    setCookie(c, 'b', '2');
    return c.html('<p>');
  });
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      await out.write('one ');
      await out.write('two');
    }),
  );
  app.get('/events', (c) => streamSSE(c, (out) => out.writeSSE({ data: 'x', event: 'e', id: '1' })));
  app.get('/gone', (c) => c.redirect('/elsewhere'));
  app.get('/throws', () => {
    throw new Error('thrown');
  });
  app.onError((thrown, c) => c.text(thrown.message, 500));
  app.use('/late/*', async (c, next) => {
    await next();
    c.header('X-Late', 'yes');
    c.res.headers.append('Vary', 'x');
  });
  app.get('/late/text', (c) => c.text('text'));
  app.get('/late/raw', () => new Response('raw', { headers: { 'X-Raw': '1' } }));
  app.use('/cors', cors());
  app.get('/cors', (c) => c.body(null, 204));
  app.use('/etag', etag());
  app.get('/etag', (c) => c.text('tagged'));
  app.use('/compress', compress());
  app.get('/compress', (c) => c.text('x'.repeat(5000)));
  app.mount('/mounted', (request: Request) => new Response(new URL(request.url).pathname));
  app.get('/native', () => fetch('data:text/plain,native'));

  test('answers text without a stream', async () => {
    expect(await ask(app.fetch as never, {})).toMatchObject({ status: 200, content: 'hello' });
    expect(await ask(app.fetch as never, { target: '/no' })).toMatchObject({ status: 404, content: '404 Not Found' });
  });

  test('reads parameters, queries and headers', async () => {
    const parts = await ask(app.fetch as never, {
      target: '/user/a%20b?x=1',
      fields: [
        ['Host', 'h'],
        ['X-Token', 't'],
      ],
    }); // prettier-ignore
    expect(JSON.parse(parts.content as string)).toEqual({ id: 'a b', x: '1', url: 'http://h/user/a%20b?x=1' });
    expect([fieldOf(parts, 'x-token'), fieldOf(parts, 'content-type')]).toEqual(['t', 'application/json']);
  });

  test.each([false, true])('reads bodies, late: %s', async (isLate) => {
    const post = { method: 'POST', isLate } as const;
    expect(
      await ask(app.fetch as never, { ...post, target: '/json', content: '{"a":1}', fields: JSON_FIELDS }),
    ).toMatchObject({ status: 201, content: '{"a":1}' });
    const type = [['Content-Type', 'application/x-www-form-urlencoded']] as const;
    expect(await ask(app.fetch as never, { ...post, target: '/form', content: 'a=1&b=2', fields: type })).toMatchObject(
      { content: '{"a":"1","b":"2"}' },
    );
    expect(
      await ask(app.fetch as never, { ...post, target: '/twice', content: 'abc', fields: JSON_FIELDS }),
    ).toMatchObject({ content: 'abc 3 abc' });
  });

  test('finds the client through hono/bun', async () => {
    const server = { requestIP: (request: unknown) => sourceOf(request)?.remote ?? null };
    const { content } = await ask(app.fetch as never, { target: '/ip' }, server);
    expect(JSON.parse(content as string)).toEqual({
      remote: { address: '192.0.2.1', addressType: 'IPv4', port: 4711 },
    });
  });

  test('sets cookies, redirects and reports errors', async () => {
    const { fields } = await ask(app.fetch as never, { target: '/cookie', fields: [['Cookie', 'in=5']] });
    expect(fields.filter((_, index) => fields[index - 2] === 'set-cookie')).toEqual(['a=5; Path=/', 'b=2; Path=/']);
    const gone = await ask(app.fetch as never, { target: '/gone' });
    expect([gone.status, fieldOf(gone, 'location'), gone.content]).toEqual([302, '/elsewhere', null]);
    expect(await ask(app.fetch as never, { target: '/throws' })).toMatchObject({ status: 500, content: 'thrown' });
  });

  test('streams', async () => {
    expect(await textOf(await ask(app.fetch as never, { target: '/stream' }))).toBe('one two');
    const events = await ask(app.fetch as never, { target: '/events' });
    expect([fieldOf(events, 'content-type'), await textOf(events)]).toEqual([
      'text/event-stream',
      'event: e\ndata: x\nid: 1\n\n',
    ]);
  });

  test('changes headers of a finished response, without a stream', async () => {
    for (const target of ['/late/text', '/late/raw']) {
      const parts = await ask(app.fetch as never, { target });
      expect([parts.content, fieldOf(parts, 'x-late'), fieldOf(parts, 'vary')]).toEqual([target.slice(6), 'yes', 'x']);
    }
  });

  test('runs its middleware', async () => {
    const shared = await ask(app.fetch as never, { target: '/cors' });
    expect([shared.status, shared.content, fieldOf(shared, 'access-control-allow-origin')]).toEqual([204, null, '*']);
    const tagged = await ask(app.fetch as never, { target: '/etag' });
    const tag = fieldOf(tagged, 'etag') as string;
    expect([tagged.status, await textOf(tagged)]).toEqual([200, 'tagged']);
    expect(await ask(app.fetch as never, { target: '/etag', fields: [['If-None-Match', tag]] })).toMatchObject({
      status: 304,
      content: null,
    });
    const compressed = await ask(app.fetch as never, { target: '/compress', fields: [['Accept-Encoding', 'gzip']] });
    expect(fieldOf(compressed, 'content-encoding')).toBe('gzip');
    const plain = (compressed.content as ReadableStream).pipeThrough(new DecompressionStream('gzip') as never);
    expect(await new Response(plain as never).text()).toBe('x'.repeat(5000));
    expect(await ask(app.fetch as never, { target: '/mounted/path' })).toMatchObject({ content: '/path' });
    expect(await textOf(await ask(app.fetch as never, { target: '/native' }))).toBe('native');
  });
});

describe('h3', () => {
  const app = new H3();
  app.get('/', () => 'hello');
  app.get('/user/:id', (event) => {
    event.res.headers.set('x-token', event.req.headers.get('x-token') ?? 'none');
    return { id: event.context.params?.['id'], x: event.url.searchParams.get('x') };
  });
  app.post('/json', async (event) => readBody(event));
  app.post('/raw', async (event) => new Response(await event.req.bytes(), { status: 201 }));
  app.get('/response', () => new Response('response', { headers: { a: 'b' } }));
  app.get('/stream', () => new Response('stream').body);
  app.get('/proxy', (event) => proxyRequest(event, 'data:text/plain,proxied'));
  const fetch = app.fetch as never;

  test('answers text without a stream', async () => {
    const parts = await ask(fetch, {});
    expect([parts.status, parts.content]).toEqual([200, 'hello']);
  });

  test('reads parameters, queries and headers', async () => {
    const parts = await ask(fetch, {
      target: '/user/5?x=1',
      fields: [
        ['Host', 'h'],
        ['X-Token', 't'],
      ],
    }); // prettier-ignore
    expect([JSON.parse(parts.content as string), fieldOf(parts, 'x-token')]).toEqual([{ id: '5', x: '1' }, 't']);
    expect((await ask(fetch, { target: '/no' })).status).toBe(404);
  });

  test('reads bodies, and returns streams and responses', async () => {
    const json = { method: 'POST', target: '/json', content: '{"a":1}', fields: JSON_FIELDS };
    expect(JSON.parse(await textOf(await ask(fetch, json)))).toEqual({ a: 1 });
    const raw = await ask(fetch, { method: 'POST', target: '/raw', content: 'raw', isLate: true });
    expect([raw.status, await textOf(raw)]).toEqual([201, 'raw']);
    expect(await ask(fetch, { target: '/response' })).toMatchObject({
      content: 'response',
      fields: ['a', 'a', 'b', 'content-type', 'Content-Type', 'text/plain;charset=UTF-8'],
    });
    expect(await textOf(await ask(fetch, { target: '/stream' }))).toBe('stream');
  });
});

describe('itty-router', () => {
  const router = AutoRouter();
  router
    .get('/', () => 'hello')
    .get('/user/:id', ({ params, query, headers }) =>
      json({ id: params['id'], x: query['x'], token: headers.get('x-token') }),
    )
    .post('/json', withContent, (request) => json(request['content'], { status: 201 }))
    .get('/error', () => error(418, 'teapot'));
  const fetch = router.fetch as never;

  test('answers', async () => {
    expect(JSON.parse(await textOf(await ask(fetch, {})))).toBe('hello');
    const fields = [
      ['Host', 'h'],
      ['X-Token', 't'],
    ] as const; // prettier-ignore
    const parts = await ask(fetch, { target: '/user/5?x=1', fields });
    expect(JSON.parse(parts.content as string)).toEqual({ id: '5', x: '1', token: 't' });
    expect((await ask(fetch, { target: '/error' })).status).toBe(418);
    expect((await ask(fetch, { target: '/no' })).status).toBe(404);
  });

  test.each([false, true])('reads bodies, late: %s', async (isLate) => {
    const parts = await ask(fetch, {
      method: 'POST',
      target: '/json',
      content: '{"a":1}',
      fields: JSON_FIELDS,
      isLate,
    });
    expect([parts.status, JSON.parse(await textOf(parts))]).toEqual([201, { a: 1 }]);
  });

  test('copies responses for CORS', async () => {
    const { preflight, corsify } = ittyCors();
    const shared = AutoRouter({ before: [preflight], finally: [corsify] });
    shared.get('/', () => new Response('shared'));
    const parts = await ask(shared.fetch as never, { fields: [['Origin', 'http://a']] });
    expect([parts.content, fieldOf(parts, 'access-control-allow-origin')]).toEqual(['shared', '*']);
    expect((await ask(shared.fetch as never, { method: 'OPTIONS' })).status).toBe(204);
  });
});

describe('Elysia', () => {
  const app = new Elysia({ adapter: WebStandardAdapter, aot: false })
    .get('/', () => 'hello')
    .get('/user/:id', ({ params, query, headers, set }) => {
      set.headers['x-token'] = headers['x-token'] ?? 'none';
      return { id: params.id, x: query['x'] };
    })
    .post('/json', ({ body, status }) => status(201, body as object))
    .get('/response', () => new Response('response', { headers: { a: 'b' } }))
    .get('/cookie', ({ cookie }) => {
      (cookie['a'] as { value: unknown }).value = '1';
      return 'cookie';
    })
    .get('/stream', async function* () {
      yield 'one ';
      yield 'two';
    })
    .get('/throws', () => {
      throw new Error('thrown');
    });
  const fetch = app.fetch as never;

  test('answers text without a stream', async () => {
    expect(await ask(fetch, {})).toMatchObject({ status: 200, content: 'hello' });
    expect((await ask(fetch, { target: '/no' })).status).toBe(404);
    expect((await ask(fetch, { target: '/throws' })).status).toBe(500);
  });

  test('reads parameters, queries and headers', async () => {
    const parts = await ask(fetch, {
      target: '/user/5?x=1',
      fields: [
        ['Host', 'example.com'],
        ['X-Token', 't'],
      ],
    }); // prettier-ignore
    expect([JSON.parse(parts.content as string), fieldOf(parts, 'x-token')]).toEqual([{ id: '5', x: '1' }, 't']);
  });

  test('reads bodies, and returns responses, cookies and streams', async () => {
    const parts = await ask(fetch, {
      method: 'POST',
      target: '/json',
      content: '{"a":1}',
      fields: JSON_FIELDS,
      isLate: true,
    });
    expect([parts.status, parts.content]).toEqual([201, '{"a":1}']);
    expect(await ask(fetch, { target: '/response' })).toMatchObject({ content: 'response' });
    expect(fieldOf(await ask(fetch, { target: '/cookie' }), 'set-cookie')).toContain('a=1');
    expect(await textOf(await ask(fetch, { target: '/stream' }))).toContain('one ');
  });
});
