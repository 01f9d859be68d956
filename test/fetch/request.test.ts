import { describe, expect, test } from 'vitest';
import { BOTH, NODE_MAJOR, NODES } from './both.ts';

const URL_ = 'http://host/path?query#hash';

describe.each(BOTH)('Request, $whose', ({ classes: { Headers, Request } }) => {
  test('has the defaults', () => {
    const request = new Request('HTTP://Host:80/a/../path?query#hash') as Request & { [name: string]: unknown };
    const names = [
      'method',
      'url',
      'destination',
      'referrer',
      'referrerPolicy',
      'mode',
      'credentials',
      'cache',
      'redirect',
      'integrity',
      'keepalive',
      'isReloadNavigation',
      'isHistoryNavigation',
      'duplex',
      'body',
      'bodyUsed',
    ]; // prettier-ignore
    expect(Object.fromEntries(names.map((name) => [name, request[name]]))).toEqual({
      method: 'GET',
      url: URL_,
      destination: '',
      referrer: 'about:client',
      referrerPolicy: '',
      mode: 'cors',
      credentials: 'same-origin',
      cache: 'default',
      redirect: 'follow',
      integrity: '',
      keepalive: false,
      isReloadNavigation: false,
      isHistoryNavigation: false,
      duplex: 'half',
      body: null,
      bodyUsed: false,
    });
    expect(request.headers).toBe(request.headers);
    expect(request.headers).toBeInstanceOf(Headers);
    expect(request.signal).toBe(request.signal);
    expect(request.signal).toBeInstanceOf(AbortSignal);
    expect(new Request(new URL(URL_)).url).toBe(URL_);
    expect(new Request({ toString: () => URL_ } as never).url).toBe(URL_);
  });

  test.each(['', '/path', 'http://', 'http://:x', 'http://user@host/', 'http://user:pass@host/'])(
    'refuses the URL %j',
    (url) => {
      expect(() => new Request(url)).toThrow(TypeError);
    },
  );

  test.each([
    ['get', 'GET'],
    ['Post', 'POST'],
    ['delete', 'DELETE'],
    ['oPTIONS', 'OPTIONS'],
    ['head', 'HEAD'],
    ['put', 'PUT'],
    ['CHICKEN', 'CHICKEN'],
    ['chicken', 'chicken'],
    ['PATCH', 'PATCH'],
  ])('has for the method %j %j', (method, expected) => {
    expect(new Request(URL_, { method }).method).toBe(expected);
  });

  test.each(['', 'a b', 'CONNECT', 'connect', 'trace', 'TRACK', 'é', 'Ā', 'a\n'])('refuses the method %j', (method) => {
    expect(() => new Request(URL_, { method })).toThrow(TypeError);
  });

  test.each([
    ['mode', ['same-origin', 'no-cors', 'cors']],
    ['credentials', ['omit', 'same-origin', 'include']],
    ['cache', ['default', 'no-store', 'reload', 'no-cache', 'force-cache']],
    ['redirect', ['follow', 'error', 'manual']],
    ['referrerPolicy', ['', 'no-referrer', 'origin', 'unsafe-url', 'strict-origin-when-cross-origin']],
    ['integrity', ['sha256-x', '']],
    ['keepalive', [true, false]],
  ])('takes %s', (name, values) => {
    for (const value of values) {
      const request = new Request(URL_, { [name]: value }) as Request & { [name: string]: unknown };
      expect(request[name]).toBe(value);
      // Node's copies lose it.
      if (name === 'referrerPolicy' && Request === NODES.Request) continue;
      expect((request.clone() as Request & { [name: string]: unknown })[name]).toBe(value);
      expect((new Request(request) as Request & { [name: string]: unknown })[name]).toBe(value);
    }
    if (name !== 'integrity' && name !== 'keepalive') {
      expect(() => new Request(URL_, { [name]: 'BAD' })).toThrow(TypeError);
    }
  });

  test('takes null for a text where the standard does', () => {
    expect(new Request(URL_, { integrity: null as never }).integrity).toBe('null');
  });

  test.each([
    { window: 'x' },
    { mode: 'navigate' },
    { mode: 'no-cors', method: 'PUT' },
    { cache: 'only-if-cached' },
    { cache: 'only-if-cached', mode: 'no-cors' },
    { referrer: 'http://:x' },
    { priority: 'invalid' },
    { duplex: 'full' },
    { signal: {} },
    { signal: 'x' },
    { headers: null },
    { method: 'GET', body: 'x' },
    { method: 'HEAD', body: 'x' },
    { body: '' },
  ])('refuses the options %j', (init) => {
    // Node 22's takes any.
    if ('priority' in init && Request === NODES.Request && NODE_MAJOR === 22) return;
    expect(() => new Request(URL_, init as never)).toThrow(TypeError);
  });

  test.each([
    { window: null },
    { priority: 'high' },
    { signal: null },
    { body: null },
    { cache: 'only-if-cached', mode: 'same-origin' },
    null,
    {},
  ])('takes the options %j', (init) => {
    expect(new Request(URL_, init as never).method).toBe('GET');
  });

  test('refuses options that are not objects, and a missing URL', () => {
    expect(() => new Request(URL_, 'x' as never)).toThrow(TypeError);
    expect(() => new Request(URL_, 5 as never)).toThrow(TypeError);
    expect(() => new (Request as unknown as new () => Request)()).toThrow(TypeError);
  });

  test.each([
    ['', ''],
    ['about:client', 'about:client'],
    ['http://other/x', 'http://other/x'],
  ])('has for the referrer %j %j', (referrer, expected) => {
    expect(new Request(URL_, { referrer }).referrer).toBe(expected);
  });

  test('copies headers', () => {
    const headers = new Headers({ a: '1', 'Content-Type': 'x/y' });
    const request = new Request(URL_, { headers, method: 'POST', body: 'x' });
    headers.set('a', '2');
    expect([...request.headers]).toEqual([
      ['a', '1'],
      ['content-type', 'x/y'],
    ]); // prettier-ignore
    expect(new Request(URL_, { method: 'POST', body: 'x' }).headers.get('content-type')).toBe(
      'text/plain;charset=UTF-8',
    );
  });

  test('is made from another, which is used up', async () => {
    const first = new Request(URL_, { method: 'POST', body: 'x', headers: { a: 'b' }, cache: 'reload' });
    const second = new Request(first);
    expect([second.method, second.url, second.headers.get('a'), second.cache]).toEqual(['POST', URL_, 'b', 'reload']);
    expect([first.bodyUsed, second.bodyUsed]).toEqual([true, false]);
    expect(second.body).not.toBe(first.body);
    expect(await second.text()).toBe('x');
    expect(() => new Request(first)).toThrow(TypeError);
    const third = new Request(first, { body: 'new', headers: { c: 'd' }, method: 'PUT' });
    expect([third.method, await third.text(), third.headers.get('a'), third.headers.get('c')]).toEqual([
      'PUT',
      'new',
      null,
      'd',
    ]);
  });

  test('is made from another whose stream has been accessed', async () => {
    const first = new Request(URL_, { method: 'POST', body: 'x' });
    const { body } = first;
    const second = new Request(first);
    expect(first.body).toBe(body);
    expect([first.bodyUsed, body?.locked]).toEqual([true, true]);
    expect(await second.text()).toBe('x');
    const locked = new Request(URL_, { method: 'POST', body: 'x' });
    locked.body?.getReader();
    expect(() => new Request(locked)).toThrow(TypeError);
    expect(await new Request(locked, { body: 'y' }).text()).toBe('y');
  });

  test('is made from another with a stream', async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array([97]));
        controller.close();
      },
    });
    const first = new Request(URL_, { method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    expect(first.body).toBe(stream);
    const second = new Request(first);
    expect(await second.text()).toBe('a');
    expect(first.bodyUsed).toBe(true);
  });

  test('is not used up if another cannot be made', () => {
    const request = new Request(URL_, { method: 'POST', body: 'x' });
    for (const method of ['GET', 'CONNECT', 'a b']) expect(() => new Request(request, { method })).toThrow(TypeError);
    expect(request.bodyUsed).toBe(false);
  });

  test('is made with another as its options', async () => {
    const first = new Request(URL_, { method: 'PUT', body: 'x', headers: { a: 'b' } });
    const second = new Request('http://other/', first);
    expect([second.url, second.method, second.headers.get('a')]).toEqual(['http://other/', 'PUT', 'b']);
    expect(await second.text()).toBe('x');
  });

  test('needs duplex for a stream', () => {
    const make = (init: object) => new Request(URL_, { method: 'POST', ...init } as RequestInit);
    expect(() => make({ body: new ReadableStream() })).toThrow(TypeError);
    expect(() => make({ body: new ReadableStream(), duplex: 'half', keepalive: true })).toThrow(TypeError);
    expect(() => make({ body: new ReadableStream(), duplex: 'half', mode: 'no-cors' })).toThrow(TypeError);
    expect(make({ body: 'x' }).duplex).toBe('half');
  });

  test('has a signal that follows the one it was given', () => {
    const controller = new AbortController();
    const request = new Request(URL_, { signal: controller.signal });
    const copies = [request, request.clone(), new Request(request), new Request(request, { method: 'POST' })];
    const free = new Request(request, { signal: null });
    expect(request.signal).not.toBe(controller.signal);
    controller.abort('reason');
    for (const { signal } of copies) expect([signal.aborted, signal.reason]).toEqual([true, 'reason']);
    expect(free.signal.aborted).toBe(false);
    expect(new Request(URL_, { signal: controller.signal }).signal.reason).toBe('reason');
    expect(new Request(URL_).clone().signal.aborted).toBe(false);
  });

  test('has the properties of a Web IDL interface', () => {
    expect(Object.prototype.toString.call(new Request(URL_))).toBe('[object Request]');
    expect(Object.keys(new Request(URL_))).toEqual([]);
    // Node's has an `attribute` by mistake.
    expect(
      Object.keys(Request.prototype)
        .filter((name) => name !== 'attribute')
        .sort(),
    ).toEqual([
      'arrayBuffer',
      'blob',
      'body',
      'bodyUsed',
      'bytes',
      'cache',
      'clone',
      'credentials',
      'destination',
      'duplex',
      'formData',
      'headers',
      'integrity',
      'isHistoryNavigation',
      'isReloadNavigation',
      'json',
      'keepalive',
      'method',
      'mode',
      'redirect',
      'referrer',
      'referrerPolicy',
      'signal',
      'text',
      'url',
    ]); // prettier-ignore
    expect(Request).toHaveLength(1);
    expect(Object.getPrototypeOf(Request.prototype)).toBe(Object.prototype);
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(Request.prototype))) {
      if (descriptor.get !== undefined) expect(() => descriptor.get?.call({}), name).toThrow(TypeError);
    }
    for (const name of ['priority', 'internalpriority', 'blocking']) expect(name in new Request(URL_)).toBe(false);
  });
});
