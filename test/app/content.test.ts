/** What servers need beyond routes: forms, cookies, queries, redirects, preconditions, codings; in memory and over sockets. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type App,
  compressed,
  compressResponse,
  decoded,
  deleteCookie,
  entityTag,
  json,
  localTarget,
  parseCookies,
  parseQuery,
  precondition,
  queryValue,
  readForm,
  redirect,
  reply,
  setCookie,
  test as testApp,
  validatorFields,
} from '../../src/index.ts';
import { startServer } from './start-server.ts';

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Buffer;
  readonly text: string;
}
interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}
type Ask = (target: string, question?: Question) => Promise<Got>;

const LIVE: [string, (app: App) => Promise<Ask>] = [
  'over sockets',
  async (app) => {
    const { port } = await startServer(app);
    return async (target, { method = 'GET', headers = {}, body = '' } = {}) => {
      const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
        ask({ port, host: '127.0.0.1', path: target, method, headers }, resolve).on('error', reject).end(body);
      });
      return got(answer.statusCode ?? 0, joined(answer.headers), await buffer(answer));
    };
  },
];
const IN_MEMORY: [string, (app: App) => Promise<Ask>] = [
  'in memory',
  async (app) => {
    const server = await testApp(app);
    onTestFinished(() => server.close());
    return async (target, { method = 'GET', headers = {}, body } = {}) => {
      const init = { method, headers, ...(body === undefined ? {} : { body }) };
      const answer = await server.fetch(target, init as RequestInit);
      const fields = { ...Object.fromEntries(answer.headers), 'set-cookie': answer.headers.getSetCookie().join(', ') };
      return got(answer.status, fields, Buffer.from(await answer.arrayBuffer()));
    };
  },
];

function got(status: number, headers: Record<string, string>, content: Buffer): Got {
  return { status, headers, content, text: content.toString() };
}

function joined(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}

const TYPE = 'multipart/form-data; boundary=B';
const FORM = Buffer.from(
  '--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nA títle\r\n' +
    '--B\r\nContent-Disposition: form-data; name="up"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n' +
    `${'x'.repeat(200_000)}\r\n--B--\r\n`,
);

describe.each([IN_MEMORY, LIVE])('%s', (_how, start) => {
  test('forms of both types, on both levels, with their files in memory or on disk', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'vrypt-content-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const app: App = {
      routes: {
        '/memory': async (call) => {
          const form = await readForm(call);
          return json({ fields: [...form.fields], sizes: form.files.map((file) => file.content?.length) });
        },
        '/disk': async (call) => {
          await using form = await readForm(call, { directory });
          const [file] = form.files;
          return json({ size: readFileSync(file?.path ?? '').length, left: readdirSync(directory).length });
        },
      },
      fetch: async (request) => {
        const form = await readForm(request, { limits: { maxFileBytes: 300_000 } });
        return Response.json({
          fields: [...form.fields],
          files: form.files.map(({ filename, size }) => [filename, size]),
        });
      },
    };
    const ask = await start(app);
    const form = { method: 'POST', headers: { 'Content-Type': TYPE }, body: FORM };
    expect(JSON.parse((await ask('/memory', form)).text)).toEqual({ fields: [['title', 'A títle']], sizes: [200_000] });
    expect(JSON.parse((await ask('/disk', form)).text)).toEqual({ size: 200_000, left: 1 });
    expect(readdirSync(directory)).toEqual([]);
    expect(JSON.parse((await ask('/web', form)).text)).toEqual({
      fields: [['title', 'A títle']],
      files: [['a.txt', 200_000]],
    });
    const zipped = { 'Content-Type': TYPE, 'Content-Encoding': 'gzip' };
    const gzip = await ask('/memory', { method: 'POST', headers: zipped, body: zlib.gzipSync(FORM) });
    expect(JSON.parse(gzip.text).sizes).toEqual([200_000]);
    const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const pairs = await ask('/web', { method: 'POST', headers: urlencoded, body: 'a=1&a=%C3%A9+&b' });
    expect(JSON.parse(pairs.text).fields).toEqual([
      ['a', '1'],
      ['a', 'é '],
      ['b', ''],
    ]);
  });

  test('a form that breaks a rule is answered by name, handler or not, and leaves no file', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'vrypt-content-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const ask = await start({
      routes: {
        '/small': async (call) => json([...(await readForm(call, { directory, limits: { maxFileBytes: 10 } })).files]),
      },
      fetch: async (request) => Response.json([...(await readForm(request)).fields]),
    });
    const form = { method: 'POST', headers: { 'Content-Type': TYPE } };
    const large = await ask('/small', { ...form, body: FORM });
    expect([large.status, large.text, readdirSync(directory)]).toEqual([
      413,
      '413 Content Too Large: a file must be at most 10 bytes\n',
      [],
    ]);
    const cut = await ask('/web', { ...form, body: FORM.subarray(0, 1000) });
    expect([cut.status, cut.text]).toEqual([400, '400 Bad Request: the form must end with its last boundary\n']);
    const none = await ask('/web', { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: 'a' });
    expect([none.status, none.headers['accept']]).toEqual([
      415,
      'multipart/form-data, application/x-www-form-urlencoded',
    ]);
  });

  test('`error` is asked about bad content first', async () => {
    const ask = await start({
      handle: async (call) => json([...(await readForm(call)).fields]),
      error: (error) => ((error as { status?: number }).status === 415 ? reply(400, {}, 'forms only') : undefined),
    });
    expect((await ask('/', { method: 'POST', body: 'a' })).text).toBe('forms only');
    const broken = { method: 'POST', headers: { 'Content-Type': 'multipart/form-data' }, body: 'a' };
    expect((await ask('/', broken)).status).toBe(400);
  });

  test('coded content is decoded within a limit', async () => {
    const ask = await start({
      routes: { '/json': async (call) => json(await decoded(call).json()) },
      fetch: async (request) => new Response(await decoded(request, 100).text()),
    });
    const post = (target: string, coding: string, body: Buffer) =>
      ask(target, { method: 'POST', headers: { 'Content-Encoding': coding }, body });
    const value = Buffer.from('{"a":"é"}');
    expect((await post('/json', 'br', zlib.brotliCompressSync(value))).text).toBe('{"a":"é"}');
    expect((await post('/json', 'gzip, br', zlib.brotliCompressSync(zlib.gzipSync(value)))).text).toBe('{"a":"é"}');
    expect((await post('/', 'deflate', zlib.deflateSync('x'.repeat(100)))).text).toBe('x'.repeat(100));
    const bomb = await post('/', 'gzip', zlib.gzipSync(Buffer.alloc(50_000_000)));
    expect([bomb.status, bomb.text]).toEqual([413, '413 Content Too Large: the content must be at most 100 bytes\n']);
    expect((await post('/', 'gzip', Buffer.from('no gzip'))).status).toBe(400);
    expect((await post('/json', 'gzip', zlib.gzipSync('{'))).text).toBe('400 Bad Request: the content must be JSON\n');
    const unknown = await post('/', 'compress', value);
    expect([unknown.status, unknown.headers['accept-encoding']]).toEqual([415, expect.stringContaining('gzip')]);
  });

  test('cookies and queries', async () => {
    const ask = await start({
      handle: (call) => {
        const cookies = parseCookies(call.header('cookie'));
        const set = [setCookie('seen', 'é;', { path: '/', httpOnly: true }), deleteCookie('old', { path: '/' })];
        const query = parseQuery(call.query);
        return json(
          {
            cookies: [...cookies],
            a: query.getAll('a'),
            b: queryValue(call.query, 'b'),
            c: queryValue(call.query, 'c'),
          },
          200,
          { 'Set-Cookie': set },
        );
      },
    });
    const { text, headers } = await ask('/?a=1&b=&a=x%20y', { headers: { Cookie: 'seen=%C3%A9%3B; id="7"; id=8' } });
    expect(JSON.parse(text)).toEqual({
      cookies: [
        ['seen', 'é;'],
        ['id', '7'],
      ],
      a: ['1', 'x y'],
      b: '',
      c: null,
    });
    expect(headers['set-cookie']).toBe(
      'seen=%C3%A9%3B; Path=/; HttpOnly, old=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0',
    );
  });

  test('redirects, to this origin where the client chooses', async () => {
    const ask = await start({
      routes: {
        '/old': redirect('/new', 308),
        '/login': (call) => redirect(localTarget(queryValue(call.query, 'next')), 303, { 'Set-Cookie': 'a=1' }),
      },
    });
    const old = await ask('/old');
    expect([old.status, old.headers['location']]).toEqual([308, '/new']);
    const login = await ask('/login?next=%2Fhome%3Fa');
    expect([login.status, login.headers['location'], login.headers['set-cookie']]).toEqual([303, '/home?a', 'a=1']);
    expect((await ask('/login?next=%2F%2Fevil.example')).headers['location']).toBe('/');
  });

  test('preconditions of a handler’s own answers, on both levels', async () => {
    const lastModified = Date.UTC(2026, 0, 2);
    const fields = { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache', Vary: 'Cookie' };
    let content = 'one';
    const current = () => ({ etag: entityTag(content), lastModified });
    const ask = await start({
      routes: {
        '/page': {
          GET: (call) =>
            precondition(call, current(), fields) ??
            reply(200, [...Object.entries(fields), ...validatorFields(current())], content),
          PUT: async (call) => {
            const refused = precondition(call, current());
            if (refused !== null) return refused;
            content = await call.body.text();
            return reply(204, validatorFields(current()));
          },
        },
        '/none': (call) => precondition(call, null) ?? reply(201),
      },
      fetch: (request) => precondition(request, current(), fields) ?? new Response(content),
    });
    const etag = (await ask('/page')).headers['etag'] as string;
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    for (const target of ['/page', '/web']) {
      const same = await ask(target, { headers: { 'If-None-Match': `"x", W/${etag}` } });
      expect([same.status, same.text]).toEqual([304, '']);
      expect(same.headers).toMatchObject({
        etag,
        'last-modified': 'Fri, 02 Jan 2026 00:00:00 GMT',
        'cache-control': 'no-cache',
        vary: 'Cookie',
      });
      expect(same.headers).not.toHaveProperty('content-type');
    }
    const put = (headers: Record<string, string>) => ask('/page', { method: 'PUT', headers, body: 'two' });
    expect((await put({ 'If-Match': '"other"' })).status).toBe(412);
    expect((await put({ 'If-None-Match': '*' })).status).toBe(412);
    expect((await put({ 'If-Unmodified-Since': 'Thu, 01 Jan 2026 00:00:00 GMT' })).status).toBe(412);
    expect((await put({ 'If-Match': etag })).status).toBe(204);
    expect((await ask('/page', { headers: { 'If-None-Match': etag } })).text).toBe('two');
    expect((await ask('/page', { headers: { 'If-Modified-Since': 'Fri, 02 Jan 2026 00:00:00 GMT' } })).status).toBe(
      304,
    );
    expect((await ask('/none', { headers: { 'If-Match': '*' } })).status).toBe(412);
    expect((await ask('/none', { headers: { 'If-None-Match': '*' } })).status).toBe(201);
  });

  test('answers are compressed on request: in one piece, in another thread, as streams', async () => {
    const small = 'small '.repeat(200);
    const large = 'large '.repeat(50_000);
    const html = { 'Content-Type': 'text/html; charset=utf-8', ETag: '"a"' };
    async function* pieces() {
      yield small;
      yield Buffer.from(large);
    }
    const ask = await start({
      routes: {
        '/small': (call) => compressed(call, 200, html, small),
        '/large': (call) => compressed(call, 200, html, Buffer.from(large)),
        '/stream': (call) => compressed(call, 200, html, pieces()),
        '/tiny': (call) => compressed(call, 200, html, 'tiny'),
        '/png': (call) => compressed(call, 200, { 'Content-Type': 'image/png' }, small),
      },
      fetch: (request) => {
        const body = request.url.endsWith('/web-stream') ? ReadableStream.from(pieces()) : small;
        return compressResponse(request, new Response(body as never, { headers: html, status: 203 }));
      },
    });
    const as = (coding: string) => ({ headers: { 'Accept-Encoding': coding } });
    for (const [target, text] of Object.entries({ '/small': small, '/large': large, '/stream': small + large })) {
      const gzip = await ask(target, as('gzip'));
      expect(gzip.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding', etag: 'W/"a"' });
      expect(zlib.gunzipSync(gzip.content).toString()).toBe(text);
      const plain = await ask(target, as('identity'));
      expect([plain.text, plain.headers['vary'], plain.headers['etag']]).toEqual([text, 'Accept-Encoding', '"a"']);
    }
    expect(zlib.brotliDecompressSync((await ask('/large', as('br'))).content).toString()).toBe(large);
    const head = await ask('/small', { method: 'HEAD', ...as('gzip') });
    expect([head.headers['content-encoding'], Number(head.headers['content-length']) < 200]).toEqual(['gzip', true]);
    for (const target of ['/tiny', '/png']) expect((await ask(target, as('gzip'))).headers).not.toHaveProperty('vary');
    const web = await ask('/web', as('gzip'));
    expect([web.status, zlib.gunzipSync(web.content).toString()]).toEqual([203, small]);
    const stream = await ask('/web-stream', as('br'));
    expect(zlib.brotliDecompressSync(stream.content).toString()).toBe(small + large);
    expect((await ask('/web', as('identity'))).text).toBe(small);
  });
});
