import { expect, test } from 'vitest';
import type { Elf } from '../../scripts/formats/elf.ts';
import { readSeaBlob, writeSeaBlob } from '../../scripts/formats/sea-blob.ts';

function elf(bits: 32 | 64, desc: Buffer | undefined): Pick<Elf, 'class' | 'notes'> {
  return { class: bits, notes: desc === undefined ? [] : [{ name: 'NODE_SEA_BLOB', desc }] };
}

function blob(bits: 32 | 64, ...texts: string[]): Buffer {
  const head = Buffer.from([0x20, 0xda, 0x43, 0x01, 1, 0, 0, 0, 1]);
  const parts = texts.flatMap((text) => {
    const length = Buffer.alloc(bits / 8);
    length.writeUInt32LE(text.length);
    return [length, Buffer.from(text)];
  });
  return Buffer.concat([head, ...parts]);
}

test.each([32, 64] as const)('reads path and code of a %i-bit blob', (bits) => {
  const read = readSeaBlob(elf(bits, blob(bits, '/tmp/a.cjs', 'run()')));
  expect(read).toEqual({
    codePath: '/tmp/a.cjs',
    code: Buffer.from('run()'),
    flags: 1,
    execArgvExtension: 1,
    rest: Buffer.alloc(0),
  });
});

test.each([32, 64] as const)(
  'reads a %i-bit blob that it has written, and finds files and options behind the code',
  (bits) => {
    const assets = [{ name: 'files', data: Buffer.from('all') }];
    const desc = writeSeaBlob({ codePath: 'a', code: Buffer.from('run()'), assets, execArgv: ['--x'] }, bits);
    const read = readSeaBlob(elf(bits, desc));
    expect(read).toMatchObject({ codePath: 'a', code: Buffer.from('run()'), flags: 1 | 8 | 16, execArgvExtension: 1 });
    expect(typeof read === 'string' ? '' : read.rest.toString('latin1').replaceAll('\0', '')).toBe(
      '\x01\x05files\x03all\x01\x03--x',
    );
  },
);

test('a 64-bit blob in a 32-bit file is detected', () => {
  expect(readSeaBlob(elf(32, blob(64, '/tmp/a.cjs', 'run()')))).toSatisfy(
    (read) => typeof read === 'string' || read.code.toString() !== 'run()',
  );
});

test('a blob made by a 32-bit Node in a 64-bit file is detected', () => {
  expect(readSeaBlob(elf(64, blob(32, '/tmp/a.cjs', 'run()')))).toBe("the blob's lengths are not of 64 bits");
});

test.each([
  ['no note at all', undefined, 'no note named NODE_SEA_BLOB'],
  [
    'a note of something else',
    Buffer.from('something else'),
    "the NODE_SEA_BLOB note does not start with Node's magic",
  ],
  ['a truncated blob', blob(64, '/tmp/a.cjs', 'run()').subarray(0, 30), "the blob's lengths are not of 64 bits"],
])('says what is wrong with %s', (_, desc, message) => {
  expect(readSeaBlob(elf(64, desc))).toBe(message);
});
