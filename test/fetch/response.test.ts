import { describe, expect, test } from 'vitest';
import { BOTH, NODE_MAJOR, NODES, OURS } from './both.ts';

describe.each(BOTH)('Response, $whose', ({ classes: { Headers, Response } }) => {
  test('has the defaults', () => {
    const response = new Response();
    const { type, url, redirected, status, ok, statusText, body, bodyUsed } = response;
    expect({ type, url, redirected, status, ok, statusText, body, bodyUsed }).toEqual({
      type: 'default',
      url: '',
      redirected: false,
      status: 200,
      ok: true,
      statusText: '',
      body: null,
      bodyUsed: false,
    });
    expect([...response.headers]).toEqual([]);
    expect(response.headers).toBe(response.headers);
    expect(response.headers).toBeInstanceOf(Headers);
  });

  test.each([200, 201, 299, 404, 599, '418', 200.9, 65_736])('has the status %j', (status) => {
    expect(new Response(null, { status: status as number }).status).toBe(Math.floor(Number(status)) % 65_536);
  });

  test.each([0, 100, 101, 199, 600, 1000, -1, NaN, null, 'x'])('refuses the status %j', (status) => {
    expect(() => new Response(null, { status: status as number })).toThrow(RangeError);
  });

  test.each(['\n', 'a\0', 'Ā', '\x7f'])('refuses the reason phrase %j', (statusText) => {
    expect(() => new Response(null, { statusText })).toThrow(TypeError);
  });

  test('keeps the reason phrase as it is', () => {
    expect(new Response(null, { statusText: ' \tOK\xff' }).statusText).toBe(' \tOK\xff');
  });

  test.each([204, 205, 304])('refuses content with status %d', (status) => {
    expect(() => new Response('', { status })).toThrow(TypeError);
    expect(() => new Response(new Uint8Array(0), { status })).toThrow(TypeError);
    expect(() => Response.json({}, { status })).toThrow(TypeError);
    expect(new Response(null, { status }).status).toBe(status);
    expect(new Response(undefined, { status }).body).toBe(null);
  });

  test.each([5, 'text', true])('refuses %j as its options', (init) => {
    expect(() => new Response(null, init as never)).toThrow(TypeError);
  });

  test('takes null and functions as options, and undefined members as missing', () => {
    expect(new Response(null, null as never).status).toBe(200);
    expect(new Response(null, (() => {}) as never).status).toBe(200);
    const options = { status: undefined, statusText: undefined, headers: undefined } as never;
    expect(new Response(null, options).status).toBe(200);
    expect(() => new Response(null, { headers: null as never })).toThrow(TypeError);
  });

  test.each([
    ['text', 'text/plain;charset=UTF-8'],
    [new URLSearchParams('a=b'), 'application/x-www-form-urlencoded;charset=UTF-8'],
    [new Blob(['x'], { type: 'Image/PNG' }), 'image/png'],
    [new Blob(['x']), null],
    [new Uint8Array(1), null],
    [new ArrayBuffer(1), null],
    [new DataView(new ArrayBuffer(1)), null],
    [new ReadableStream(), null],
    [5, 'text/plain;charset=UTF-8'],
    [{}, 'text/plain;charset=UTF-8'],
  ])('names the type of %s', (body, type) => {
    expect(new Response(body as never).headers.get('content-type')).toBe(type);
    expect(
      new Response(body instanceof ReadableStream ? null : (body as never), {
        headers: { 'content-TYPE': 'x' },
      }).headers.get('content-type'),
    ).toBe('x');
  });

  test('names the boundary of a form', async () => {
    const form = new FormData();
    form.append('a"b\n', '1\n2');
    form.append('file', new File(['content'], 'n"ame.txt', { type: 'text/x' }));
    const response = new Response(form);
    expect(response.headers.get('content-type')).toMatch(/^multipart\/form-data; boundary=\S+$/);
    const text = await response.clone().text();
    expect(text).toContain('Content-Disposition: form-data; name="a%22b%0D%0A"\r\n\r\n1\r\n2\r\n');
    expect(text).toContain('name="file"; filename="n%22ame.txt"\r\nContent-Type: text/x\r\n\r\ncontent\r\n');
    const copy = await response.formData();
    expect(await (copy.get('file') as File).text()).toBe('content');
  });

  test('reads nothing from a buffer that was transferred, and takes a shared one for text', async () => {
    // Node 22's takes the content of a shared one.
    if (Response === NODES.Response && NODE_MAJOR === 22) return;
    const bytes = new Uint8Array([1, 2]);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(await new Response(bytes).text()).toBe('');
    expect(await new Response(new SharedArrayBuffer(1) as never).text()).toBe('[object SharedArrayBuffer]');
  });

  test('copies its source', async () => {
    const bytes = new Uint8Array([97]);
    const query = new URLSearchParams('a=1');
    const headers = new Headers({ a: '1' });
    const responses = [new Response(bytes), new Response(bytes.buffer), new Response(query, { headers })] as const;
    bytes[0] = 98;
    query.set('a', '2');
    headers.set('a', '2');
    expect(await Promise.all(responses.map((response) => response.text()))).toEqual(['a', 'a', 'a=1']);
    expect(responses[2].headers.get('a')).toBe('1');
  });

  test('is made from another as its options', async () => {
    const first = new Response('x', { status: 201, statusText: 'Made', headers: { a: 'b', 'content-type': 'y' } });
    const second = new Response(first.body, first);
    expect([second.status, second.statusText, ...second.headers]).toEqual([
      201,
      'Made',
      ['a', 'b'],
      ['content-type', 'y'],
    ]);
    second.headers.set('a', 'c');
    expect(first.headers.get('a')).toBe('b');
    expect(await second.text()).toBe('x');
    expect(first.bodyUsed).toBe(true);
  });

  test('error() is a network error', () => {
    const response = Response.error();
    expect([response.type, response.status, response.ok, response.body, response.statusText]).toEqual([
      'error',
      0,
      false,
      null,
      '',
    ]);
    expect(() => new Response(null, response)).toThrow(RangeError);
  });

  test.each([301, 302, 303, 307, 308])('redirect() has the status %d', (status) => {
    const response = Response.redirect('http://Test.url:80/a b?c', status as 301);
    expect([response.status, response.headers.get('location'), response.body, response.type]).toEqual([
      status,
      'http://test.url/a%20b?c',
      null,
      'default',
    ]);
  });

  test('redirect() refuses other statuses and invalid URLs', () => {
    for (const status of [200, 300, 304, 309, 400]) {
      expect(() => Response.redirect('http://a/', status as 301)).toThrow(RangeError);
    }
    expect(() => Response.redirect('http://:not a url')).toThrow(TypeError);
    expect(() => (Response.redirect as unknown as () => void)()).toThrow(TypeError);
    expect(Response.redirect('http://a/').status).toBe(302);
  });

  test('json() serializes', async () => {
    const response = Response.json({ a: [1, 'ü'] }, { status: 201, headers: { b: 'c' } });
    expect(response.status).toBe(201);
    expect([...response.headers]).toEqual([
      ['b', 'c'],
      ['content-type', 'application/json'],
    ]); // prettier-ignore
    expect(await response.text()).toBe('{"a":[1,"ü"]}');
    expect(Response.json('x', { headers: { 'content-type': 'y' } }).headers.get('content-type')).toBe('y');
    for (const data of [undefined, Symbol('s'), () => {}]) expect(() => Response.json(data)).toThrow(TypeError);
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(() => Response.json(circular)).toThrow(TypeError);
    expect(() => (Response.json as unknown as () => void)()).toThrow(TypeError);
  });

  test('clones with content, headers and status', async () => {
    const response = new Response('body', { status: 202, statusText: 'OK', headers: { a: 'b' } });
    const clone = response.clone();
    clone.headers.set('a', 'c');
    expect([clone.status, clone.statusText, response.headers.get('a')]).toEqual([202, 'OK', 'b']);
    expect([await response.text(), await clone.text()]).toEqual(['body', 'body']);
    expect(() => response.clone()).toThrow(TypeError);
    expect(new Response().clone().body).toBe(null);
    expect(Response.error().clone().type).toBe('error');
    expect(() => Response.redirect('http://a/').clone().headers.set('a', 'b')).toThrow(TypeError);
  });

  test('looks like an interface', () => {
    expect(Object.prototype.toString.call(new Response())).toBe('[object Response]');
    expect(Object.keys(new Response('x'))).toEqual([]);
    expect(Object.keys(Response.prototype).sort()).toEqual([
      'arrayBuffer',
      'blob',
      'body',
      'bodyUsed',
      'bytes',
      'clone',
      'formData',
      'headers',
      'json',
      'ok',
      'redirected',
      'status',
      'statusText',
      'text',
      'type',
      'url',
    ]); // prettier-ignore
    expect(Object.keys(Response).sort()).toEqual(['error', 'json', 'redirect']);
    expect(Response).toHaveLength(0);
    expect([Response.redirect.length, Response.json.length]).toEqual([1, 1]);
    expect(Object.getPrototypeOf(Response.prototype)).toBe(Object.prototype);
    for (const name of ['type', 'url', 'redirected', 'status', 'ok', 'statusText', 'headers', 'body', 'bodyUsed']) {
      const descriptor = Object.getOwnPropertyDescriptor(Response.prototype, name);
      expect([descriptor?.enumerable, descriptor?.configurable, descriptor?.set]).toEqual([true, true, undefined]);
      expect(() => descriptor?.get?.call({})).toThrow(TypeError);
      expect(() => descriptor?.get?.call(Response.prototype)).toThrow(TypeError);
    }
    expect(() => (Response as unknown as () => void)()).toThrow(TypeError);
  });
});

describe('Response beyond the standard', () => {
  test.each([
    ['/path?a=b', '/path?a=b'],
    ['other', 'other'],
    ['/ü', '/%C3%BC'],
  ])('redirects to the relative URL %j', (url, location) => {
    expect(OURS.Response.redirect(url).headers.get('location')).toBe(location);
  });

  test('accepts async iterables', async () => {
    async function* pieces() {
      yield 'a';
      yield new Uint8Array([98]);
    }
    expect(await new OURS.Response(pieces() as never).text()).toBe('ab');
  });

  test('may set cookies', () => {
    const response = new OURS.Response(null, { headers: [['set-cookie', 'a=1']] });
    response.headers.append('set-cookie', 'b=2');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });
});
