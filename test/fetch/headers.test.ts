import { describe, expect, test } from 'vitest';
import { BOTH, OURS } from './both.ts';

const INVALID_NAMES = ['', ' ', 'a b', 'a:', 'é', 'a\n', '\0', '(', '@', '[', '{', 'a,b', 'Āa'];
const INVALID_VALUES = ['a\0b', 'a\rb', 'a\nb', 'a\r\nB: c', 'Ā', '\0', '\ud83d\ude00'];

/** The traps of a proxy that are called, in order. */
function logged(target: object): { proxy: Record<string, string>; log: string[] } {
  const log: string[] = [];
  const handler = new Proxy({} as ProxyHandler<object>, {
    get:
      (_, trap: keyof typeof Reflect) =>
      (object: object, key?: PropertyKey, ...rest: unknown[]) => {
        log.push(key === undefined ? trap : `${trap} ${String(key)}`);
        return (Reflect[trap] as (...values: unknown[]) => unknown)(
          object,
          ...(key === undefined ? [] : [key]),
          ...rest,
        );
      },
  });
  return { proxy: new Proxy(target, handler) as Record<string, string>, log };
}

describe.each(BOTH)('Headers, $whose', ({ classes: { Headers, Request, Response } }) => {
  test('are made from nothing, records, pairs, maps and headers', () => {
    expect([...new Headers()]).toEqual([]);
    expect([...new Headers(undefined)]).toEqual([]);
    expect([...new Headers({ B: '2', a: '1' })]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]); // prettier-ignore
    expect([
      ...new Headers([
        ['x', '1'],
        ['X', '2'],
      ]),
    ]).toEqual([['x', '1, 2']]); // prettier-ignore
    expect([...new Headers(new Map([['m', '1']]) as never)]).toEqual([['m', '1']]);
    expect([...new Headers(new Headers({ h: '1' }))]).toEqual([['h', '1']]);
    expect([...new Headers(new Set([new Set(['a', 'b'])]) as never)]).toEqual([['a', 'b']]);
  });

  test.each([null, 5, 'text', true, [['a']], [['a', 'b', 'c']], ['ab'], [null], { [Symbol.iterator]: 5 }])(
    'are not made from %j',
    (init) => {
      expect(() => new Headers(init as never)).toThrow(TypeError);
    },
  );

  test('convert values to strings', () => {
    const headers = new Headers({ number: 5, nothing: null, missing: undefined, list: ['a', 'b'] } as never);
    expect([...headers]).toEqual([
      ['list', 'a,b'],
      ['missing', 'undefined'],
      ['nothing', 'null'],
      ['number', '5'],
    ]);
    expect(() => new Headers({ a: Symbol('s') } as never)).toThrow(TypeError);
  });

  test.each(INVALID_NAMES)('refuse the name %j everywhere', (name) => {
    const headers = new Headers();
    expect(() => new Headers([[name, 'x']])).toThrow(TypeError);
    expect(() => new Headers({ [name]: 'x' })).toThrow(TypeError);
    for (const method of ['append', 'set', 'get', 'has', 'delete'] as const) {
      expect(() => headers[method](name, 'x')).toThrow(TypeError);
    }
  });

  test.each(INVALID_VALUES)('refuse the value %j everywhere', (value) => {
    const headers = new Headers();
    expect(() => new Headers([['a', value]])).toThrow(TypeError);
    expect(() => new Headers({ a: value })).toThrow(TypeError);
    expect(() => headers.append('a', value)).toThrow(TypeError);
    expect(() => headers.set('a', value)).toThrow(TypeError);
  });

  test.each([
    [' \t\r\nx\n\r\t ', 'x'],
    ['', ''],
    [' ', ''],
    ['a  b', 'a  b'],
    ['\u00a0x\u00a0', '\u00a0x\u00a0'],
    ['\x0bx\x0c', '\x0bx\x0c'],
    ['\x01\x7f\xff', '\x01\x7f\xff'],
  ])('normalize the value %j', (value, expected) => {
    expect(new Headers([['a', value]]).get('a')).toBe(expected);
    expect(new Headers({ a: value }).get('A')).toBe(expected);
    const headers = new Headers();
    headers.append('a', value);
    expect(headers.get('a')).toBe(expected);
    headers.set('a', value);
    expect(headers.get('a')).toBe(expected);
  });

  test('append, set, get, has and delete ignore case', () => {
    const headers = new Headers();
    headers.append('X-One', '1');
    headers.append('x-one', '2');
    expect(headers.get('X-ONE')).toBe('1, 2');
    headers.set('x-ONE', '3');
    expect([...headers]).toEqual([['x-one', '3']]);
    expect(headers.has('X-one')).toBe(true);
    headers.delete('X-One');
    expect(headers.has('x-one')).toBe(false);
    expect(headers.get('x-one')).toBe(null);
    headers.append('empty', '');
    headers.append('empty', '');
    expect(headers.get('empty')).toBe(', ');
  });

  test('set the first of several and drop the rest', () => {
    const headers = new Headers([
      ['a', '1'],
      ['b', '2'],
      ['A', '3'],
      ['c', '4'],
      ['a', '5'],
    ]); // prettier-ignore
    headers.set('a', 'x');
    expect([...headers]).toEqual([
      ['a', 'x'],
      ['b', '2'],
      ['c', '4'],
    ]); // prettier-ignore
  });

  test('join cookies with a semicolon', () => {
    expect(
      new Headers([
        ['cookie', 'a=1'],
        ['Cookie', 'b=2'],
      ]).get('cookie'),
    ).toBe('a=1; b=2'); // prettier-ignore
  });

  test('keep Set-Cookie apart in iteration', () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['x', 'y'],
      ['Set-Cookie', 'b=2'],
    ]); // prettier-ignore
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('Set-Cookie')).toBe('a=1, b=2');
    expect([...headers]).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x', 'y'],
    ]); // prettier-ignore
    const copy = new Headers(headers);
    expect(copy.getSetCookie()).toEqual(['a=1', 'b=2']);
    copy.set('set-cookie', 'c=3');
    expect(copy.getSetCookie()).toEqual(['c=3']);
    copy.delete('SET-COOKIE');
    expect(copy.getSetCookie()).toEqual([]);
    expect(headers.getSetCookie()).toHaveLength(2);
    expect(new Headers().getSetCookie()).toEqual([]);
    headers.getSetCookie().push('x');
    expect(headers.getSetCookie()).toHaveLength(2);
  });

  test('iterate sorted, in all forms', () => {
    const headers = new Headers({ c: '3', a: '1', b: '2' });
    expect([...headers.keys()]).toEqual(['a', 'b', 'c']);
    expect([...headers.values()]).toEqual(['1', '2', '3']);
    expect([...headers.entries()]).toEqual([...headers]);
    const seen: unknown[] = [];
    headers.forEach(function (this: unknown, value, name, parent) {
      seen.push([this, value, name, parent === headers]);
    }, 'this');
    expect(seen.map((entry) => (entry as unknown[]).slice(1))).toEqual([
      ['1', 'a', true],
      ['2', 'b', true],
      ['3', 'c', true],
    ]); // prettier-ignore
    expect(() => headers.forEach(5 as never)).toThrow(TypeError);
  });

  test('iterate sorted, however many there are', () => {
    const headers = new Headers();
    for (let index = 0; index < 100; index++) headers.append(`h${(index * 37) % 50}`, String(index));
    const names = [...headers.keys()];
    expect(names).toEqual([...new Set(names)].sort());
    expect(names).toHaveLength(50);
    expect(headers.get('h37')).toBe('1, 51');
    expect(new Map(headers).get('h37')).toBe('1, 51');
  });

  test('show changes to an iteration in progress', () => {
    const headers = new Headers({ b: '2', d: '4' });
    const iterator = headers.entries();
    expect(iterator.next().value).toEqual(['b', '2']);
    headers.append('a', '1');
    expect(iterator.next().value).toEqual(['b', '2']);
    headers.append('set-cookie', 'x');
    headers.delete('a');
    headers.append('set-cookie', 'y');
    expect(iterator.next().value).toEqual(['set-cookie', 'x']);
    expect(iterator.next().value).toEqual(['set-cookie', 'y']);
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    headers.append('z', '1');
  });

  test('have an iterator as WebIDL describes it', () => {
    const iterator = new Headers({ a: 'b' })[Symbol.iterator]();
    const prototype = Object.getPrototypeOf(iterator);
    expect(Object.prototype.toString.call(iterator)).toBe('[object Headers Iterator]');
    expect(Object.getPrototypeOf(prototype)).toBe(Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())));
    expect(Object.getOwnPropertyDescriptor(prototype, 'next')).toMatchObject({
      enumerable: true,
      writable: true,
      configurable: true,
    });
    expect(() => prototype.next.call({})).toThrow(TypeError);
    expect(iterator[Symbol.iterator]()).toBe(iterator);
    expect(Headers.prototype[Symbol.iterator]).toBe(Headers.prototype.entries);
  });

  test('use a custom iterator', () => {
    const headers = new Headers({ a: 'b' });
    (headers as { [Symbol.iterator]: unknown })[Symbol.iterator] = function* () {
      yield ['c', 'd'];
    };
    expect([...new Headers(headers)]).toEqual([['c', 'd']]);
  });

  test('read a record in the order of WebIDL', () => {
    const { proxy, log } = logged(
      Object.create(
        { inherited: 'x' },
        {
          a: { value: '1', enumerable: true },
          hidden: { value: '2' },
          c: { value: '3', enumerable: true },
        },
      ),
    ); // prettier-ignore
    expect([...new Headers(proxy)]).toEqual([
      ['a', '1'],
      ['c', '3'],
    ]); // prettier-ignore
    expect(log).toEqual([
      'get Symbol(Symbol.iterator)',
      'ownKeys',
      'getOwnPropertyDescriptor a',
      'get a',
      'getOwnPropertyDescriptor hidden',
      'getOwnPropertyDescriptor c',
      'get c',
    ]);
    expect(() => new Headers(new Proxy({ a: '1', [Symbol('s')]: '2' }, {}))).toThrow(TypeError);
    expect([...new Headers(Object.create({ inherited: 'x' }))]).toEqual([]);
  });

  test('check receivers and numbers of arguments', () => {
    const headers = new Headers() as unknown as Record<string, (...values: unknown[]) => unknown>;
    for (const [method, count] of [
      ['append', 2],
      ['set', 2],
      ['get', 1],
      ['has', 1],
      ['delete', 1],
      ['forEach', 1],
    ] as const) {
      expect(() => headers[method]?.(...['a', 'b'].slice(0, count - 1))).toThrow(TypeError);
      expect(Headers.prototype[method]).toHaveLength(method === 'forEach' ? 1 : count);
    }
    for (const method of [
      'append',
      'set',
      'get',
      'has',
      'delete',
      'forEach',
      'entries',
      'keys',
      'values',
      'getSetCookie',
    ]) {
      expect(() => headers[method]?.call({}, 'a', 'b')).toThrow(TypeError);
    }
    expect(() => (Headers as unknown as () => void)()).toThrow(TypeError);
    expect(Headers).toHaveLength(0);
  });

  test('look like an interface', () => {
    expect(Object.prototype.toString.call(new Headers())).toBe('[object Headers]');
    expect(Object.keys(new Headers({ a: 'b' }))).toEqual([]);
    expect(Object.keys(Headers.prototype).sort()).toEqual(
      ['append', 'delete', 'entries', 'forEach', 'get', 'getSetCookie', 'has', 'keys', 'set', 'values'], // prettier-ignore
    );
    expect(Object.getPrototypeOf(Headers.prototype)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(Headers)).toBe(Function.prototype);
  });

  test('cannot be changed if they are immutable', () => {
    for (const { headers } of [Response.error(), Response.redirect('http://a/')]) {
      expect(() => headers.append('a', 'b')).toThrow(TypeError);
      expect(() => headers.set('a', 'b')).toThrow(TypeError);
      expect(() => headers.delete('a')).toThrow(TypeError);
      expect(() => headers.set('a b', 'c')).toThrow(TypeError);
    }
    expect(() => new Request('http://a/').headers.set('a', 'b')).not.toThrow();
  });
});

describe('Headers of a request without CORS', () => {
  test.each([
    ['accept', 'text/html', true],
    ['accept', 'a"b', false],
    ['accept-language', 'en', true],
    ['accept-language', 'en@', false],
    ['content-language', 'x'.repeat(129), false],
    ['content-type', 'text/plain;charset=UTF-8', true],
    ['content-type', 'application/json', false],
    ['x-other', 'a', false],
  ])('%s: %s is kept: %s', (name, value, isKept) => {
    const { headers } = new OURS.Request('http://a/', { mode: 'no-cors' });
    headers.append(name, value);
    expect(headers.has(name)).toBe(isKept);
    headers.set(name, value);
    expect(headers.has(name)).toBe(isKept);
    expect(new OURS.Request('http://a/', { mode: 'no-cors', headers: { [name]: value } }).headers.has(name)).toBe(
      isKept,
    );
  });
});
