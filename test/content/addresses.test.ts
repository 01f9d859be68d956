import { BlockList, isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import { NetworkList, parseAddress } from '../../src/content/addresses.ts';
import { Random } from '../fuzz/random.ts';

function show(text: string): string | null {
  const words = parseAddress(text);
  return words === null ? null : Array.from(words, (word) => word.toString(16)).join(' ');
}

test.each([
  ['1.2.3.4', '0 0 ffff 1020304'],
  ['255.255.255.255', '0 0 ffff ffffffff'],
  ['::', '0 0 0 0'],
  ['::1', '0 0 0 1'],
  ['1::', '10000 0 0 0'],
  ['2001:db8::1', '20010db8 0 0 1'],
  ['1:2:3:4:5:6:7:8', '10002 30004 50006 70008'],
  ['1:2:3:4:5:6:7::', '10002 30004 50006 70000'],
  ['::2:3:4:5:6:7:8', '2 30004 50006 70008'],
  ['::ffff:1.2.3.4', '0 0 ffff 1020304'],
  ['1:2:3:4:5:6:1.2.3.4', '10002 30004 50006 1020304'],
  ['FE80::A%eth0', 'fe800000 0 0 a'],
])('%s', (text, words) => {
  expect(show(text)).toBe(words);
});

test('agrees with Node about what is an address', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = [':', ':', '::', '.', '0', '1', '255', '256', 'ffff', 'g', '1.2.3.4', 'a', '00', '12345'];
  for (let round = 0; round < 50_000; round++) {
    let text = '';
    for (let i = random.below(16); i > 0; i--) text += random.pick(alphabet);
    if ((parseAddress(text) !== null) !== (isIP(text) !== 0)) expect.fail(text);
  }
});

describe('a list of networks', () => {
  test.each<[string, string, boolean]>([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.9.9.9/8', '10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['0.0.0.0/0', '1.2.3.4', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '1.2.3.4', true],
    ['::1', '::1', true],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['2001:db8::/33', '2001:db8:7fff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', 'unknown', false],
    ['10.0.0.0/8', '10.1.2.3:80', false],
  ])('%s has %s: %s', (network, address, has) => {
    expect(new NetworkList([network]).has(address)).toBe(has);
  });

  test.each(['', '10.0.0.0/33', '::/129', '10.0.0/8', '10.0.0.0/', '10.0.0.0/a', 'a.example', '10.0.0.0/8/8', '/8'])(
    'refuses %j',
    (network) => {
      expect(() => new NetworkList([network])).toThrow(
        new RangeError(`a trusted network must be an address or address/prefix, got ${JSON.stringify(network)}`),
      );
    },
  );

  test('agrees with net.BlockList', () => {
    const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
    const address = () => Array.from({ length: 4 }, () => random.pick([0, 1, 127, 128, 255])).join('.');
    for (let round = 0; round < 200; round++) {
      const networks = Array.from({ length: 5 }, () => ({ address: address(), prefix: random.below(33) }));
      const list = new NetworkList(networks.map((one) => `${one.address}/${one.prefix}`));
      const theirs = new BlockList();
      for (const one of networks) theirs.addSubnet(one.address, one.prefix);
      for (let i = 0; i < 20; i++) {
        const asked = address();
        expect(list.has(asked), `${asked} in ${JSON.stringify(networks)}`).toBe(theirs.check(asked));
      }
    }
  });
});
