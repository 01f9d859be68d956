import { describe, expect, test } from 'vitest';
import { TrustedProxies } from '../../src/content/forwarded.ts';
import { Random } from '../fuzz/random.ts';

const PROXIES = new TrustedProxies(['loopback', '10.0.0.0/8', 'fd00::/8']);

function client(peer: string, fields: Readonly<Record<string, string>>, proxies = PROXIES): string {
  const { address, port, proto, host } = proxies.clientOf(peer, (name) => fields[name] ?? null);
  return [address, port, proto, host].map((value) => value ?? '-').join(' ');
}

const xff = (value: string, more: Readonly<Record<string, string>> = {}) => ({ 'x-forwarded-for': value, ...more });

describe('X-Forwarded-*', () => {
  test.each<[string, string, Record<string, string>, string]>([
    ['nothing', '127.0.0.1', {}, '127.0.0.1 - - -'],
    ['of a stranger', '1.1.1.1', xff('2.2.2.2', { 'x-forwarded-proto': 'https' }), '1.1.1.1 - - -'],
    ['one hop', '127.0.0.1', xff('2.2.2.2'), '2.2.2.2 - - -'],
    ['an address that the client made up', '127.0.0.1', xff('6.6.6.6, 2.2.2.2'), '2.2.2.2 - - -'],
    ['two hops', '127.0.0.1', xff('6.6.6.6, 2.2.2.2, 10.1.1.1'), '2.2.2.2 - - -'],
    ['all trusted', '127.0.0.1', xff('10.2.2.2, 10.1.1.1'), '10.2.2.2 - - -'],
    ['no address', '127.0.0.1', xff('unknown'), '127.0.0.1 - - -'],
    ['no address on the way', '127.0.0.1', xff('2.2.2.2, unknown, 10.1.1.1'), '10.1.1.1 - - -'],
    ['empty elements', '127.0.0.1', xff(', ,2.2.2.2,'), '2.2.2.2 - - -'],
    ['a port', '127.0.0.1', xff('2.2.2.2:80'), '2.2.2.2 80 - -'],
    ['IPv6', '::1', xff('2001:db8::1'), '2001:db8::1 - - -'],
    ['IPv6 in brackets', '::1', xff('[2001:db8::1]:80'), '2001:db8::1 80 - -'],
    ['a mapped peer', '::ffff:127.0.0.1', xff('2.2.2.2'), '2.2.2.2 - - -'],
    ['a Unix socket', '', xff('2.2.2.2'), '2.2.2.2 - - -'],
    [
      'proto and host',
      '127.0.0.1',
      xff('2.2.2.2', { 'x-forwarded-proto': 'HTTPS', 'x-forwarded-host': 'a.example:8443' }),
      '2.2.2.2 - https a.example:8443',
    ],
    ['proto alone', '127.0.0.1', { 'x-forwarded-proto': 'https' }, '127.0.0.1 - https -'],
    [
      'lists in step',
      '127.0.0.1',
      xff('2.2.2.2, 10.1.1.1', { 'x-forwarded-proto': 'https, http' }),
      '2.2.2.2 - https -',
    ],
    [
      'lists in step, beyond the client',
      '127.0.0.1',
      xff('6.6.6.6, 2.2.2.2', { 'x-forwarded-proto': 'https, http' }),
      '2.2.2.2 - http -',
    ],
    ['lists out of step', '127.0.0.1', xff('2.2.2.2, 10.1.1.1', { 'x-forwarded-proto': 'https' }), '2.2.2.2 - https -'],
    ['a proto that is none', '127.0.0.1', xff('2.2.2.2', { 'x-forwarded-proto': 'javascript' }), '2.2.2.2 - - -'],
    ['a host that is none', '127.0.0.1', xff('2.2.2.2', { 'x-forwarded-host': 'a/b@c' }), '2.2.2.2 - - -'],
    ['beats Forwarded', '127.0.0.1', xff('2.2.2.2', { forwarded: 'for=6.6.6.6' }), '2.2.2.2 - - -'],
  ])('%s', (_name, peer, fields, expected) => {
    expect(client(peer, fields)).toBe(expected);
  });
});

describe('Forwarded (RFC 7239)', () => {
  test.each([
    ['for=2.2.2.2', '2.2.2.2 - - -'],
    ['For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17 4711 - -'],
    ['for=2.2.2.2;proto=https;by=203.0.113.43;host=a.example', '2.2.2.2 - https a.example'],
    ['for=2.2.2.2; proto=https ; host="a.example:1"', '2.2.2.2 - https a.example:1'],
    ['for=6.6.6.6, for=2.2.2.2', '2.2.2.2 - - -'],
    ['for=2.2.2.2;proto=https, for=10.1.1.1;proto=http', '2.2.2.2 - https -'],
    ['for=2.2.2.2, for=unknown', '127.0.0.1 - - -'],
    ['for=_hidden;proto=https', '127.0.0.1 - https -'],
    ['for="2.2.2.2:80", for="10.1.1.1:_x"', '2.2.2.2 80 - -'],
    ['for="a,for=6.6.6.6", for=2.2.2.2', '2.2.2.2 - - -'],
    ['proto=https', '127.0.0.1 - https -'],
    ['broken, for=2.2.2.2', '2.2.2.2 - - -'],
    ['for=2.2.2.2, broken, for=10.1.1.1', '10.1.1.1 - - -'],
    ['for=2.2.2.2, broken', '127.0.0.1 - - -'],
    ['for=6.6.6.6;for=2.2.2.2', '127.0.0.1 - - -'],
    ['for="2.2.2.2', '127.0.0.1 - - -'],
    ['', '127.0.0.1 - - -'],
  ])('%s', (forwarded, expected) => {
    expect(client('127.0.0.1', { forwarded })).toBe(expected);
  });
});

test('loopback trusts no other address', () => {
  const proxies = new TrustedProxies('loopback');
  expect(client('10.0.0.1', xff('2.2.2.2'), proxies)).toBe('10.0.0.1 - - -');
  expect(client('127.0.0.9', xff('2.2.2.2, 10.1.1.1'), proxies)).toBe('10.1.1.1 - - -');
});

test('a Unix socket is not trusted by networks', () => {
  expect(client('', xff('2.2.2.2'), new TrustedProxies(['10.0.0.0/8']))).toBe(' - - -');
});

test('nothing that is sent makes it throw, or trust an untrusted address', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = ['for=', '"', ',', ';', '10.1.1.1', '2.2.2.2', '[', ']', ':', '80', '\\', ' ', 'proto=', 'x', '::1'];
  for (let round = 0; round < 20_000; round++) {
    let text = '';
    for (let i = random.below(12); i > 0; i--) text += random.pick(alphabet);
    client('127.0.0.1', { forwarded: text });
    client('127.0.0.1', xff(text, { 'x-forwarded-proto': text, 'x-forwarded-host': text }));
    if (client('127.0.0.1', xff(`${text},9.9.9.9`)) !== '9.9.9.9 - - -') expect.fail(text);
  }
});
