import { describe, expect, test } from 'vitest';
import { type DeflateOptions, negotiateDeflate } from '../../src/websocket/deflate-negotiation.ts';
import { parseExtensions } from '../../src/websocket/extension-header.ts';
import { acceptKey, chooseProtocol, handshake } from '../../src/websocket/handshake.ts';
import { requestOf } from './socket-server.ts';

const GOOD = {
  Host: 'server.example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

const SHARED: DeflateOptions = {
  serverKeepsContext: false,
  clientKeepsContext: false,
  serverWindowBits: 15,
  clientWindowBits: 15,
  compresses: true,
  memoryLevel: 8,
  threshold: 1024,
};
const DEDICATED: DeflateOptions = { ...SHARED, serverKeepsContext: true, clientKeepsContext: true };

function ask(
  fields: Readonly<Record<string, string | null>>,
  line = 'GET /chat HTTP/1.1',
  deflate: DeflateOptions | null = null,
) {
  const all = Object.entries({ ...GOOD, ...fields }).filter(([, value]) => value !== null);
  const head = [line, ...all.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
  return handshake(requestOf(head), { deflate, protocol: 'chat' });
}

describe('a handshake', () => {
  test('answers the request of RFC 6455 §1.3', () => {
    const result = ask({ Origin: 'http://example.com', 'Sec-WebSocket-Protocol': 'chat, superchat' });
    expect(result).toEqual({
      status: 101,
      fields: [
        ['Upgrade', 'websocket'],
        ['Connection', 'Upgrade'],
        ['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
        ['Sec-WebSocket-Protocol', 'chat'],
      ],
      protocol: 'chat',
      deflate: null,
    });
  });

  test('makes the accept key of the specification', () =>
    expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='));

  test.each([
    ['Upgrade in another case', { Upgrade: 'WebSocket' }],
    ['Upgrade in a list', { Upgrade: 'h2c, websocket' }],
    ['Connection in a list', { Connection: 'keep-alive, Upgrade' }],
    ['Connection in another case', { Connection: 'upgrade' }],
  ])('takes %s', (_name, fields) => expect(ask(fields).status).toBe(101));

  test.each([
    ['no Upgrade', { Upgrade: null }, 426],
    ['another Upgrade', { Upgrade: 'h2c' }, 426],
    ['no Connection', { Connection: null }, 426],
    ['another Connection', { Connection: 'keep-alive' }, 426],
    ['no version', { 'Sec-WebSocket-Version': null }, 426],
    ['version 8', { 'Sec-WebSocket-Version': '8' }, 426],
    ['two versions', { 'Sec-WebSocket-Version': '13, 13' }, 426],
    ['no key', { 'Sec-WebSocket-Key': null }, 400],
    ['an empty key', { 'Sec-WebSocket-Key': '' }, 400],
    ['a short key', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' }, 400],
    ['a key of 17 bytes', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZWU=' }, 400],
    ['a key that is not base64', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j!Q==' }, 400],
    ['two keys', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==' }, 400],
    ['malformed extensions', { 'Sec-WebSocket-Extensions': 'a;;b' }, 400],
  ])('refuses %s', (_name, fields, status) => {
    const result = ask(fields);
    expect(result.status).toBe(status);
    if (status === 426) expect(result.fields).toContainEqual(['Sec-WebSocket-Version', '13']);
  });

  test('refuses POST and HTTP/1.0', () => {
    expect(ask({}, 'POST / HTTP/1.1').status).toBe(400);
    expect(ask({}, 'GET / HTTP/1.0').status).toBe(400);
  });

  test('sends no protocol that the client has not offered', () => {
    for (const offered of [null, 'superchat', 'Chat']) {
      const result = ask({ 'Sec-WebSocket-Protocol': offered });
      expect(result).toMatchObject({ status: 101, protocol: '' });
      expect(result.fields.map(([name]) => name)).not.toContain('Sec-WebSocket-Protocol');
    }
  });

  test("chooses the client's favorite among those that are supported", () => {
    expect(chooseProtocol('a, b ,c', ['c', 'b'])).toBe('b');
    expect(chooseProtocol('a', ['b'])).toBeUndefined();
    expect(chooseProtocol(null, ['b'])).toBeUndefined();
  });
});

describe('the grammar of Sec-WebSocket-Extensions', () => {
  test.each([
    ['foo', [{ name: 'foo', parameters: [] }]],
    ['foo;bar', [{ name: 'foo', parameters: [['bar', true]] }]],
    [
      'foo ; bar = 1,baz',
      [
        { name: 'foo', parameters: [['bar', '1']] },
        { name: 'baz', parameters: [] },
      ],
    ],
    [
      'foo; a="b"; a=c',
      [
        {
          name: 'foo',
          parameters: [
            ['a', 'b'],
            ['a', 'c'],
          ],
        },
      ],
    ],
    [
      ', foo ,, bar,',
      [
        { name: 'foo', parameters: [] },
        { name: 'bar', parameters: [] },
      ],
    ],
    ['foo; a="\\b"', [{ name: 'foo', parameters: [['a', 'b']] }]],
    ['', []],
  ])('reads %j', (field, expected) => expect(parseExtensions(field)).toEqual(expected));

  test.each([
    'foo;',
    'foo;;a',
    'foo bar',
    'foo;a=',
    'foo;a="',
    'foo;a=""',
    'foo;a="b c"',
    'foo;=a',
    ';a',
    'foo=a',
    'fo@o',
    'a;b=c d',
  ])('refuses %j', (field) => expect(parseExtensions(field)).toBeNull());
});

describe('permessage-deflate', () => {
  const agree = (field: string, wanted: DeflateOptions | null = DEDICATED) => {
    const result = negotiateDeflate(field, wanted);
    return result === null || result === 'malformed' ? result : result.field;
  };
  const P = 'permessage-deflate';

  test.each([
    [P, P],
    [`${P}; client_max_window_bits`, P],
    [`${P}; client_max_window_bits=15`, P],
    [`${P}; client_max_window_bits=10`, `${P}; client_max_window_bits=10`],
    [`${P}; client_max_window_bits=8`, `${P}; client_max_window_bits=8`],
    [`${P}; server_max_window_bits=9`, `${P}; server_max_window_bits=9`],
    [`${P}; server_max_window_bits="12"`, `${P}; server_max_window_bits=12`],
    [`${P}; server_no_context_takeover`, `${P}; server_no_context_takeover`],
    [`${P}; client_no_context_takeover`, `${P}; client_no_context_takeover`],
    [`x-webkit-deflate-frame, ${P}`, P],
  ])('agrees to %j', (offer, answer) => expect(agree(offer)).toBe(answer));

  test.each([
    `${P}; server_max_window_bits`,
    `${P}; server_max_window_bits=7`,
    `${P}; server_max_window_bits=16`,
    `${P}; server_max_window_bits=09`,
    `${P}; server_max_window_bits=8`,
    `${P}; client_max_window_bits=7`,
    `${P}; client_max_window_bits=16`,
    `${P}; client_max_window_bits=1e1`,
    `${P}; server_no_context_takeover=true`,
    `${P}; client_no_context_takeover=1`,
    `${P}; unknown`,
    `${P}; client_max_window_bits; client_max_window_bits`,
    `${P}; server_no_context_takeover; server_no_context_takeover`,
    'permessage-foo',
  ])('declines %j, and takes the next offer', (offer) => {
    expect(agree(offer)).toBeNull();
    expect(agree(`${offer}, ${P}; client_no_context_takeover`)).toBe(`${P}; client_no_context_takeover`);
  });

  test('is not agreed to unless enabled', () => expect(agree(P, null)).toBeNull());

  test('without contexts says so, whatever is offered', () => {
    const answer = `${P}; server_no_context_takeover; client_no_context_takeover`;
    expect(agree(P, SHARED)).toBe(answer);
    expect(agree(`${P}; client_max_window_bits`, SHARED)).toBe(answer);
  });

  test("asks for the client's window only if the client offers it", () => {
    const small = { ...DEDICATED, serverWindowBits: 10, clientWindowBits: 9 };
    expect(agree(P, small)).toBe(`${P}; server_max_window_bits=10`);
    expect(negotiateDeflate(P, small)).toMatchObject({ clientWindowBits: 15, serverWindowBits: 10 });
    expect(agree(`${P}; client_max_window_bits`, small)).toBe(
      `${P}; server_max_window_bits=10; client_max_window_bits=9`,
    );
    expect(agree(`${P}; server_max_window_bits=9`, small)).toBe(`${P}; server_max_window_bits=9`);
  });
});
