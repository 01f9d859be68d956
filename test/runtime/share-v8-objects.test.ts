import { describe, expect, test } from 'vitest';
import { withHeader } from '../../scripts/runtime/compile.ts';
import { abiIdentical, foreignSymbols } from '../../scripts/runtime/share-v8-objects.ts';

describe('an object of V8 may be shared between the libcs', () => {
  test.each([
    '_ZN2v88internal7Isolate3NewEv',
    'memcpy',
    '__errno_location',
    '__aeabi_uldivmod',
    '__udivdi3',
    'v8_Default_embedded_blob_code_',
    'ucol_open_78',
  ])('with %s', (symbol) => expect(foreignSymbols([symbol])).toEqual([]));

  test.each([
    '__clock_gettime64',
    '__stat_time64',
    'stat',
    'lseek',
    'mmap',
    'sigaction',
    'sysconf',
    'strerror_r',
    '__libc_stack_end',
  ])('not with %s', (symbol) => expect(foreignSymbols(['memcpy', symbol])).toEqual([symbol]));

  test('no function with a parameter whose size differs is on the list', () => {
    const dangerous = /time|stat|seek|mmap|truncate|sig|jmp|dir|rlimit|sysconf|cond|attr|rwlock|getaddrinfo|_r$/;
    expect([...abiIdentical].filter((name) => dangerous.test(name))).toEqual([]);
  });
});

describe('a ninja file with a precompiled header', () => {
  const ninja = [
    'cflags_cc = -O2 $',
    '    -std=gnu++20',
    '',
    'build obj/a.o: cxx ../../a.cc || $',
    '    stamp',
    'build obj/t.o: cxx $',
    '    ../../deps/v8/src/objects/js-temporal-objects.cc',
    'build obj/b.o: cxx ../../b.cc',
    '',
  ].join('\n');
  const changed = withHeader(ninja, 'x.pch');

  test('names it once, before the flags', () => expect(changed.match(/-include-pch x\.pch\n/g)).toHaveLength(1));

  test('leaves it out only for a source that does not compile with it', () => {
    expect(changed).toContain('js-temporal-objects.cc\n  cflags_pch_cc =\nbuild obj/b.o');
    expect(changed.match(/cflags_pch_cc =\n/g)).toHaveLength(1);
  });

  test('is the same when done twice', () => expect(withHeader(changed, 'x.pch')).toBe(changed));
});
