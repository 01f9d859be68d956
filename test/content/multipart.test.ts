import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import {
  MULTIPART_DEFAULTS,
  type MultipartLimits,
  MultipartParser,
  multipartBoundary,
} from '../../src/content/multipart.ts';
import { Random } from '../fuzz/random.ts';

const LIMITS: MultipartLimits = {
  maxParts: 4,
  maxHeaderBytes: 120,
  maxFieldBytes: 40,
  maxFileBytes: 60,
  maxTotalBytes: 700,
};

/** What the parser reports, one line per part, and its fault. */
function parse(pieces: readonly Uint8Array[], boundary = 'B', limits: MultipartLimits = LIMITS): string {
  const parts: string[] = [];
  let content: Buffer[] | null = null;
  const parser = new MultipartParser(
    boundary,
    {
      onPart: ({ name, filename, type }) => {
        if (content !== null) throw new Error('a part within a part');
        content = [];
        parts.push(`${JSON.stringify(name)} ${JSON.stringify(filename)} ${type}`);
      },
      onData: (bytes) => {
        if (content === null || bytes.length === 0) throw new Error('no data');
        content.push(Buffer.from(bytes));
      },
      onPartEnd: () => {
        if (content === null) throw new Error('no part');
        parts.push(`${parts.pop()} ${JSON.stringify(Buffer.concat(content).toString('latin1'))}`);
        content = null;
      },
    },
    limits,
  );
  let fault = null;
  for (const piece of pieces) {
    const own = Uint8Array.from(piece);
    fault = parser.push(own);
    // A view is valid only during the call.
    own.fill(0x2d);
    if (fault !== null) break;
  }
  // Of the part with the fault, what had arrived has been reported.
  return [...parts, fault ?? parser.end() ?? 'ok'].join('\n');
}

/** Whole, cut in two at every byte, and byte by byte: all must agree. */
function parseAtEveryCut(text: string, boundary?: string, limits?: MultipartLimits): string {
  const bytes = Buffer.from(text, 'utf8');
  const result = parse([bytes], boundary, limits);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(parse([bytes.subarray(0, cut), bytes.subarray(cut)], boundary, limits), `cut at ${cut}`).toBe(result);
  }
  expect(
    parse(
      Array.from(bytes, (_byte, i) => bytes.subarray(i, i + 1)),
      boundary,
      limits,
    ),
  ).toBe(result);
  return result;
}

const field = (name: string, value: string) =>
  `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (parameters: string, value = 'x', more = '') =>
  `--B\r\nContent-Disposition: form-data; name="f"; ${parameters}\r\n${more}\r\n${value}\r\n`;

describe('parts, at every cut', () => {
  test.each<[string, string, string]>([
    ['one field', `${field('a', '1')}--B--\r\n`, '"a" null text/plain "1"\nok'],
    ['no line end after the last boundary', `${field('a', '1')}--B--`, '"a" null text/plain "1"\nok'],
    [
      'two of the same name',
      `${field('a', '1')}${field('a', '2')}--B--\r\n`,
      '"a" null text/plain "1"\n"a" null text/plain "2"\nok',
    ],
    ['an empty field', `${field('a', '')}--B--\r\n`, '"a" null text/plain ""\nok'],
    [
      'an empty field without its line end',
      '--B\r\nContent-Disposition: form-data; name=a\r\n\r\n--B--\r\n',
      '"a" null text/plain ""\nok',
    ],
    ['no part', '--B--\r\n', 'ok'],
    ['text before and after', `before\r\n${field('a', '1')}--B--\r\nafter\r\n--B\r\n`, '"a" null text/plain "1"\nok'],
    [
      'white space after a boundary',
      `--B \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--`,
      '"a" null text/plain "1"\nok',
    ],
    [
      'content like a boundary',
      `${field('a', '\r\n--A\r\n-\r\n--\r\r\n')}--B--`,
      '"a" null text/plain "\\r\\n--A\\r\\n-\\r\\n--\\r\\r\\n"\nok',
    ],
    ['content that begins with dashes', `${field('a', '--C')}--B--`, '"a" null text/plain "--C"\nok'],
    ['UTF-8 in a name', `${field('ä', '1')}--B--`, '"ä" null text/plain "1"\nok'],
    ['escapes in a name', `${field('a%22%0D%0a%41', '1')}--B--`, '"a\\"\\r\\n%41" null text/plain "1"\nok'],
    [
      'names in any case, and other fields',
      '--B\r\nX: y\r\nCONTENT-DISPOSITION:FORM-DATA;NAME=a\r\n\r\n1\r\n--B--',
      '"a" null text/plain "1"\nok',
    ],
    ['a file', `${file('filename="a.txt"', 'x', 'Content-Type: text/html\r\n')}--B--`, '"f" "a.txt" text/html "x"\nok'],
    ['a file without a name', `${file('filename=""')}--B--`, '"f" "" text/plain "x"\nok'],
    ['a filename with quotes', `${file('filename="a\\"b\\\\c"')}--B--`, '"f" "a\\"b\\\\c" text/plain "x"\nok'],
    ['a path of Windows', `${file('filename="C:\\dir\\a.txt"')}--B--`, '"f" "C:\\\\dir\\\\a.txt" text/plain "x"\nok'],
    ['a semicolon in a filename', `${file('filename="a;b=c"')}--B--`, '"f" "a;b=c" text/plain "x"\nok'],
    ['filename*', `${file(`filename="e.txt"; filename*=UTF-8''%c3%a9.txt`)}--B--`, '"f" "é.txt" text/plain "x"\nok'],
    ['filename* first', `${file(`filename*=UTF-8'de'%C3%A9; filename=e`)}--B--`, '"f" "é" text/plain "x"\nok'],
    ['filename* in Latin-1', `${file(`filename*=iso-8859-1''%e9`)}--B--`, '"f" "é" text/plain "x"\nok'],
    [
      'filename* that cannot be read',
      `${file(`filename="e"; filename*=UTF-8''%ff`)}--B--`,
      '"f" "e" text/plain "x"\nok',
    ],
    ['as many bytes as allowed', `${field('a', 'x'.repeat(40))}--B--`, `"a" null text/plain "${'x'.repeat(40)}"\nok`],
  ])('%s', (_name, text, result) => {
    expect(parseAtEveryCut(text)).toBe(result);
  });

  test('a boundary with characters that are special in regular expressions', () => {
    const text = `--a'()+_,-./:=?\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--a'()+_,-./:=?--`;
    expect(parseAtEveryCut(text, "a'()+_,-./:=?")).toBe('"a" null text/plain "1"\nok');
  });
});

describe('faults, at every cut', () => {
  test.each<[string, string, string]>([
    ['nothing', '', 'endMissing'],
    ['no boundary', 'a=1&b=2', 'endMissing'],
    ['no end', field('a', '1'), '"a" null text/plain\nendMissing'],
    ['an end cut short', `${field('a', '1')}--B-`, '"a" null text/plain "1"\nendMissing'],
    ['a boundary that goes on', '--Bx\r\n\r\n', 'boundaryMalformed'],
    ['a boundary and a bare LF', '--B\n\r\n', 'boundaryMalformed'],
    ['a boundary and a bare CR', '--B\rx', 'boundaryMalformed'],
    ['a boundary and much white space', `--B${' '.repeat(65)}\r\n`, 'boundaryMalformed'],
    ['no head', '--B\r\n\r\n\r\n1\r\n--B--', 'partHeadMalformed'],
    ['no disposition', '--B\r\nContent-Type: text/plain\r\n\r\n1\r\n--B--', 'partHeadMalformed'],
    ['no name', '--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--', 'partHeadMalformed'],
    ['another disposition', '--B\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--B--', 'partHeadMalformed'],
    [
      'two dispositions',
      '--B\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n1\r\n--B--',
      'partHeadMalformed',
    ],
    [
      'a quote without its end',
      '--B\r\nContent-Disposition: form-data; name="a\r\n\r\n1\r\n--B--',
      'partHeadMalformed',
    ],
    ['a folded line', '--B\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--B--', 'partHeadMalformed'],
    [
      'a bare LF in a head',
      '--B\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\n1\r\n--B--',
      'partHeadMalformed',
    ],
    ['NUL in a name', '--B\r\nContent-Disposition: form-data; name="a\u0000"\r\n\r\n1\r\n--B--', 'partHeadMalformed'],
    [
      'base64',
      '--B\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--B--',
      'partHeadMalformed',
    ],
    ['a long head', `--B\r\nX: ${'x'.repeat(200)}\r\n\r\n`, 'partHeadTooLarge'],
    ['a long head without end', `--B\r\nX: ${'x'.repeat(200)}`, 'partHeadTooLarge'],
    ['too many parts', `${field('a', '1').repeat(5)}--B--`, `${'"a" null text/plain "1"\n'.repeat(4)}tooManyParts`],
  ])('%s', (_name, text, result) => {
    expect(parseAtEveryCut(text)).toBe(result);
  });

  // How much of the part was reported before depends on the cut; the fault does not.
  test.each<[string, string, string]>([
    ['a large field', `${field('a', 'x'.repeat(41))}--B--`, 'fieldTooLarge'],
    ['a large field without end', field('a', 'x'.repeat(100)).slice(0, -2), 'fieldTooLarge'],
    ['a large file', `${file('filename=a', 'x'.repeat(61))}--B--`, 'fileTooLarge'],
    ['much before the first boundary', `${'x'.repeat(700)}\r\n--B--`, 'contentTooLarge'],
    ['much after the last boundary', `--B--${'x'.repeat(700)}`, 'contentTooLarge'],
  ])('%s', (_name, text, fault) => {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(
        parse([bytes.subarray(0, cut), bytes.subarray(cut)])
          .split('\n')
          .at(-1),
        `cut at ${cut}`,
      ).toBe(fault);
    }
  });
});

test.each<[string | null, string | null]>([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data; charset=utf-8; Boundary="a b"', 'a b'],
  ['multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxk', '----WebKitFormBoundary7MA4YWxk'],
  ['multipart/form-data', null],
  ['multipart/form-data; boundary=', null],
  ['multipart/form-data; boundary="a "', null],
  ['multipart/form-data; boundary="a', null],
  [`multipart/form-data; boundary=${'a'.repeat(71)}`, null],
  ['multipart/mixed; boundary=abc', null],
  ['application/json', null],
  ['', null],
  [null, null],
])('the boundary of %j is %j', (type, boundary) => {
  expect(multipartBoundary(type)).toBe(boundary);
});

test('random content survives, however it is cut', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = ['\r', '\n', '\r\n', '-', '--', 'B', '\r\n--', '\r\n--B', 'x', '\u0000'];
  for (let round = 0; round < 3000; round++) {
    const values = Array.from({ length: random.below(4) }, () => {
      let value = '';
      for (let i = random.below(10); i > 0; i--) value += random.pick(alphabet);
      return value;
    }).filter((value) => !`\r\n${value}\r\n`.includes('\r\n--B'));
    const text = `${values.map((value) => field('a', value)).join('')}--B--`;
    const result = [...values.map((value) => `"a" null text/plain ${JSON.stringify(value)}`), 'ok'].join('\n');
    if (parse(cut(Buffer.from(text), random)) !== result) expect.fail(JSON.stringify(text));
  }
});

test('nothing that is sent makes it throw, and every cut agrees', () => {
  const random = new Random(Number(process.env['FUZZ_SEED'] ?? 13));
  const alphabet = [
    '\r\n',
    '--B',
    '--B\r\n',
    '--B--',
    'Content-Disposition: form-data; name=a',
    '; filename="b"',
    '\r\n\r\n',
    'X: y',
    ' ',
    '"',
    '\\',
    'é',
    '\u0000',
    '-',
    '\r',
    '\n',
    'x'.repeat(30),
  ];
  for (let round = 0; round < 5000; round++) {
    let text = random.oneIn(2) ? field('a', '1') : '';
    for (let i = random.below(14); i > 0; i--) text += random.pick(alphabet);
    const bytes = Buffer.from(text);
    const expected = parse([bytes], 'B', MULTIPART_DEFAULTS);
    if (parse(cut(bytes, random), 'B', MULTIPART_DEFAULTS) !== expected) expect.fail(JSON.stringify(text));
  }
});

function cut(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(9);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
