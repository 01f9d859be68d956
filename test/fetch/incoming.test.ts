import { describe, expect, test } from 'vitest';
import { Headers, LazyRequest, Origin, Request, Response, responseParts, sourceOf } from '../../src/fetch/index.ts';
import { type Given, TestSource } from './source.ts';

const ORIGIN = new Origin('http', 'localhost:3000');

function receive(given: Given = {}): { request: LazyRequest; source: TestSource } {
  const source = new TestSource(given);
  return { request: new LazyRequest(source, ORIGIN), source };
}

describe('an incoming request', () => {
  test('is a Request to a program', () => {
    const { request } = receive();
    expect(request).toBeInstanceOf(Request);
    expect(request.constructor).toBe(Request);
    expect(Object.prototype.toString.call(request)).toBe('[object Request]');
    expect(Object.keys(request)).toEqual([]);
  });

  test('reads nothing that is not asked for', () => {
    const { request, source } = receive({ method: 'POST', content: 'x' });
    expect([request.method, request.url, request.headers.get('HOST'), request.headers.has('x')]).toEqual([
      'POST',
      'http://example.com/',
      'example.com',
      false,
    ]);
    expect([request.bodyUsed, request.mode, request.duplex]).toEqual([false, 'cors', 'half']);
    expect(source.touched).toEqual([]);
  });

  test('has the client, parameters and background work', () => {
    const { request, source } = receive();
    const work = Promise.resolve();
    request.waitUntil(work);
    expect([request.ip, request.params, source.waitedFor]).toEqual(['192.0.2.1', { id: '5' }, [work]]);
    expect(sourceOf(request)).toBe(source);
    expect(sourceOf(new Request('http://a/'))).toBe(null);
    expect(sourceOf({})).toBe(null);
  });

  test('has headers that can be changed', () => {
    const { request } = receive({
      fields: [
        ['Host', 'a'],
        ['X-Two', '1'],
        ['x-two', '2'],
        ['Set-Cookie', 'c'],
      ],
    }); // prettier-ignore
    expect(request.headers.get('x-two')).toBe('1, 2');
    request.headers.append('X-Two', '3');
    request.headers.delete('host');
    expect([...request.headers]).toEqual([
      ['set-cookie', 'c'],
      ['x-two', '1, 2, 3'],
    ]); // prettier-ignore
    expect(request.headers.getSetCookie()).toEqual(['c']);
    expect(() => request.headers.get('a b')).toThrow(TypeError);
  });

  test.each(['GET', 'HEAD'])('has no body with the method %s', async (method) => {
    const { request, source } = receive({ method, content: 'x' });
    expect([request.body, await request.text()]).toEqual([null, '']);
    expect(source.touched).toEqual([]);
  });

  test('has no body if it has no content', async () => {
    const { request } = receive({ method: 'POST' });
    expect([request.body, await request.text(), request.bodyUsed]).toEqual([null, '', false]);
  });

  describe.each([{ isLate: false }, { isLate: true }])('with content that is late: $isLate', ({ isLate }) => {
    const given = {
      method: 'POST',
      content: '{"a":"ü"}',
      isLate,
      fields: [['Content-Type', 'application/json']],
    } as const;

    test('returns it in every form', async () => {
      expect(await receive(given).request.text()).toBe('{"a":"ü"}');
      expect(await receive(given).request.json()).toEqual({ a: 'ü' });
      expect(new TextDecoder().decode(await receive(given).request.bytes())).toBe('{"a":"ü"}');
      expect((await receive(given).request.arrayBuffer()).byteLength).toBe(10);
      const blob = await receive(given).request.blob();
      expect([await blob.text(), blob.type]).toEqual(['{"a":"ü"}', 'application/json']);
      expect(await new globalThis.Response(receive(given).request.body as never).text()).toBe('{"a":"ü"}');
    });

    test('is read once', async () => {
      const { request } = receive(given);
      await request.text();
      expect(request.bodyUsed).toBe(true);
      await expect(request.text()).rejects.toThrow(TypeError);
      expect(() => request.clone()).toThrow(TypeError);
      expect(request.body?.locked).toBe(true);
    });

    test('can be read after its stream has been accessed', async () => {
      const { request } = receive(given);
      expect(request.body).toBe(request.body);
      expect(request.bodyUsed).toBe(false);
      expect(await request.text()).toBe('{"a":"ü"}');
      expect(request.bodyUsed).toBe(true);
    });

    test('can be cloned', async () => {
      const { request } = receive(given);
      const clone = request.clone();
      expect([await clone.json(), await request.json()]).toEqual([{ a: 'ü' }, { a: 'ü' }]);
      const other = receive(given).request;
      expect(other.body).not.toBe(null);
      const second = other.clone();
      expect([await other.text(), await second.text()]).toEqual(['{"a":"ü"}', '{"a":"ü"}']);
    });

    test('goes into another request', async () => {
      const { request } = receive(given);
      const copy = new Request('http://other/', request);
      expect([copy.method, copy.headers.get('content-type'), await copy.json()]).toEqual([
        'POST',
        'application/json',
        { a: 'ü' },
      ]);
      const first = receive(given).request;
      const second = new Request(first, { headers: { a: 'b' } });
      expect([first.bodyUsed, second.headers.get('a'), await second.text()]).toEqual([true, 'b', '{"a":"ü"}']);
    });

    test('goes into a response', async () => {
      const { request } = receive(given);
      expect(await new Response(request.body).text()).toBe('{"a":"ü"}');
      expect(request.bodyUsed).toBe(true);
    });
  });

  test('returns its form', async () => {
    const type = 'application/x-www-form-urlencoded';
    const { request } = receive({ method: 'POST', content: 'a=1&b=2', fields: [['content-type', type]] });
    expect([...(await request.formData())]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]); // prettier-ignore
  });

  test('does not share its bytes, which live as long as the call', async () => {
    const content = new TextEncoder().encode('abc');
    const { request } = receive({ method: 'POST', content });
    const clone = request.clone();
    const stream = receive({ method: 'POST', content }).request.body as ReadableStream;
    content.fill(0x78);
    expect([await clone.text(), await new Response(stream).text()]).toEqual(['abc', 'abc']);
  });

  test('has the signal of its call, and so have its copies', () => {
    const controller = new AbortController();
    const { request } = receive({ signal: controller.signal });
    const copies = [request.clone(), new Request(request), new Request('http://a/', request)];
    expect(request.signal).toBe(controller.signal);
    controller.abort();
    for (const { signal } of copies) expect(signal.aborted).toBe(true);
  });
});

describe('the URL of a request', () => {
  test.each([
    ['/', 'example.com', 'http://example.com/'],
    ['/a/b?c=d&e', 'example.com:8080', 'http://example.com:8080/a/b?c=d&e'],
    ['/a', 'Example.COM:80', 'http://example.com/a'],
    ['/a', '127.0.0.1:3000', 'http://127.0.0.1:3000/a'],
    ['/a', '[::1]:3000', 'http://[::1]:3000/a'],
    ['/a', '0x7f.1', 'http://127.0.0.1/a'],
    ['/a/../b/./c', 'a.example', 'http://a.example/b/c'],
    ['/a/%2e%2E/b', 'a.example', 'http://a.example/b'],
    ['/.well-known/x', 'a.example', 'http://a.example/.well-known/x'],
    ['//other.example/x', 'a.example', 'http://a.example//other.example/x'],
    ["/a'?b'", 'a.example', "http://a.example/a'?b%27"],
    ['/a%20b', 'a.example', 'http://a.example/a%20b'],
    ['http://other.example/x?y', 'a.example', 'http://other.example/x?y'],
    ['HTTP://Other.example', 'a.example', 'http://other.example/'],
    ['*', 'a.example', 'http://a.example/'],
    ['/a', '', 'http://localhost:3000/a'],
    ['/a', 'a b', 'http://localhost:3000/a'],
    ['/a', 'user@a.example', 'http://a.example/a'],
    ['/a', 'a.example/x', 'http://a.example/a'],
    ['/@other.example', 'a.example', 'http://a.example/@other.example'],
  ])('of %s at %j is %s', (target, host, url) => {
    const { request } = receive({ target, fields: [['Host', host]] });
    expect(request.url).toBe(url);
    expect(new URL(url).href).toBe(url);
    expect(receive({ target, fields: [['Host', host]] }).request.url).toBe(url);
  });

  test('is that of the server if there is no Host', () => {
    expect(receive({ target: '/a', fields: [] }).request.url).toBe('http://localhost:3000/a');
    const secure = new Origin('https', 'localhost');
    expect(new LazyRequest(new TestSource({ fields: [['Host', 'b:443']] }), secure).url).toBe('https://b/');
    expect(new LazyRequest(new TestSource({ fields: [['Host', 'b:80']] }), secure).url).toBe('https://b:80/');
  });

  test('stays right for more hosts than are remembered', () => {
    for (let host = 0; host < 200; host++) {
      expect(receive({ fields: [['Host', `H${host}.example`]] }).request.url).toBe(`http://h${host}.example/`);
    }
  });
});

describe('the parts of a response', () => {
  test('of text, bytes and nothing have no stream', () => {
    expect(responseParts(new Response('text', { status: 201, statusText: 'Made', headers: { 'X-A': 'b' } }))).toEqual({
      status: 201,
      statusText: 'Made',
      fields: ['x-a', 'X-A', 'b', 'content-type', 'Content-Type', 'text/plain;charset=UTF-8'],
      content: 'text',
      length: null,
    });
    expect(responseParts(new Response(new Uint8Array([1]))).content).toEqual(new Uint8Array([1]));
    expect(responseParts(new Response(new URLSearchParams('a=b'))).content).toBe('a=b');
    expect(responseParts(new Response(null, { status: 204 }))).toMatchObject({
      status: 204,
      fields: [],
      content: null,
    });
    expect(responseParts(Response.json([1]))).toMatchObject({ content: '[1]' });
    const form = new FormData();
    form.append('a', 'b');
    expect(responseParts(new Response(form)).content).toContain('name="a"');
  });

  test('still have no stream after headers, clone and copy', () => {
    const response = new Response('text');
    response.headers.set('Content-Type', 'x/y');
    response.headers.append('Set-Cookie', 'a');
    response.headers.append('Set-Cookie', 'b');
    const clone = response.clone();
    const copy = new Response(response.body, response);
    for (const one of [copy, clone]) {
      const { fields, content } = responseParts(one);
      expect(content).toBe('text');
      expect(fields).toEqual([
        'content-type',
        'Content-Type',
        'x/y',
        'set-cookie',
        'Set-Cookie',
        'a',
        'set-cookie',
        'Set-Cookie',
        'b',
      ]);
    }
    expect(response.bodyUsed).toBe(true);
  });

  test('of a stream and a Blob have one', async () => {
    const stream = new ReadableStream();
    const response = new Response(stream);
    expect(responseParts(response)).toMatchObject({ content: stream, length: null });
    expect(response.bodyUsed).toBe(true);
    expect(() => responseParts(response)).toThrow(TypeError);
    const { content, length } = responseParts(new Response(new Blob(['text'])));
    expect([await new globalThis.Response(content as never).text(), length]).toEqual(['text', 4]);
  });

  test('of Node’s Response are the same as ours, with a stream', async () => {
    const nodes = new globalThis.Response('text', {
      status: 404,
      headers: [
        ['X-A', 'b'],
        ['set-cookie', 'c'],
        ['set-cookie', 'd'],
      ],
    }); // prettier-ignore
    const { status, fields, content } = responseParts(nodes);
    expect([status, fields.filter((_, index) => index % 3 !== 1)]).toEqual([
      404,
      ['content-type', 'text/plain;charset=UTF-8', 'set-cookie', 'c', 'set-cookie', 'd', 'x-a', 'b'],
    ]);
    expect(await new globalThis.Response(content as never).text()).toBe('text');
  });

  test('are returned once', async () => {
    const response = new Response('text');
    responseParts(response);
    expect(response.bodyUsed).toBe(true);
    expect(() => responseParts(response)).toThrow(TypeError);
    await expect(response.text()).rejects.toThrow(TypeError);
    const bytes = new Response(new Uint8Array(1));
    responseParts(bytes);
    expect(() => responseParts(bytes)).toThrow(TypeError);
  });

  test('are refused for a body that has been read, and for anything but a Response', async () => {
    const read = new Response('text');
    await read.text();
    const nodes = new globalThis.Response('text');
    await nodes.text();
    const locked = new Response(new ReadableStream());
    locked.body?.getReader();
    for (const value of [read, nodes, locked, undefined, null, 'text', {}, new Headers()]) {
      expect(() => responseParts(value)).toThrow(TypeError);
    }
    for (const value of [Response.error(), globalThis.Response.error()])
      expect(() => responseParts(value)).toThrow(RangeError);
  });
});
