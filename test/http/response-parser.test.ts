/** Responses as bytes, cut in two at every index and byte by byte: all ways must agree. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { type ReadOptions, readResponses } from './read-response.ts';

/** What comes of `text`, the same however it is cut. */
function read(text: string, options: ReadOptions = {}): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const whole = readResponses([bytes], options);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines = readResponses([bytes.subarray(0, cut), bytes.subarray(cut)], options);
    expect({ cut, lines }).toEqual({ cut, lines: whole });
  }
  const single = Array.from(bytes, (_byte, i) => bytes.subarray(i, i + 1));
  expect({ way: 'byte by byte', lines: readResponses(single, options) }).toEqual({ way: 'byte by byte', lines: whole });
  return whole;
}

const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;

describe('a response', () => {
  const accepted: [string, string, ReadOptions, string[]][] = [
    [
      'with a length',
      `${head('HTTP/1.1 200 OK', 'Content-Length: 5')}Vrypt`,
      {},
      ['200 "OK" keep-alive length', 'Vrypt', 'complete'],
    ],
    ['of length 0', head('HTTP/1.1 200 OK', 'Content-Length: 0'), {}, ['200 "OK" keep-alive none', '', 'complete']],
    [
      'in chunks, with an extension and trailers',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}3;a="b"\r\nVry\r\n02\r\npt\r\n0\r\nA: b\r\nC: d\r\n\r\n`,
      {},
      ['200 "OK" keep-alive lastChunk', 'Vrypt', 'A: b C: d', 'complete'],
    ],
    [
      'until the connection closes',
      `${head('HTTP/1.1 200 OK')}Vrypt`,
      { ends: true },
      ['200 "OK" close close', 'Vrypt', 'complete'],
    ],
    [
      'of HTTP/1.0 closes',
      `${head('HTTP/1.0 200 OK', 'Content-Length: 1')}V`,
      {},
      ['200 "OK" close length', 'V', 'complete'],
    ],
    [
      'of HTTP/1.0 may persist',
      `${head('HTTP/1.0 200 OK', 'Connection: Keep-Alive', 'Content-Length: 1')}V`,
      {},
      ['200 "OK" keep-alive length', 'V', 'complete'],
    ],
    [
      'that says close',
      `${head('HTTP/1.1 200 OK', 'Connection: x, close', 'Content-Length: 1')}V`,
      {},
      ['200 "OK" close length', 'V', 'complete'],
    ],
    [
      'to HEAD has a length but no content',
      head('HTTP/1.1 200 OK', 'Content-Length: 5'),
      { isToHead: true },
      ['200 "OK" keep-alive none', '', 'complete'],
    ],
    [
      'to HEAD may say chunked',
      head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'),
      { isToHead: true },
      ['200 "OK" keep-alive none', '', 'complete'],
    ],
    ['204 has no content', head('HTTP/1.1 204 No Content'), {}, ['204 "No Content" keep-alive none', '', 'complete']],
    [
      '204 with a length of 0',
      head('HTTP/1.1 204 No Content', 'Content-Length: 0'),
      {},
      ['204 "No Content" keep-alive none', '', 'complete'],
    ],
    [
      '304 has the length of what it leaves out',
      head('HTTP/1.1 304 Not Modified', 'Content-Length: 5'),
      {},
      ['304 "Not Modified" keep-alive none', '', 'complete'],
    ],
    ['without a reason', head('HTTP/1.1 204 '), {}, ['204 "" keep-alive none', '', 'complete']],
    ['without a space after the status', head('HTTP/1.1 204'), {}, ['204 "" keep-alive none', '', 'complete']],
    [
      'with a reason beyond ASCII',
      head('HTTP/1.1 204 caf\xe9\tau lait'),
      {},
      ['204 "caf\xe9\tau lait" keep-alive none', '', 'complete'],
    ],
    [
      'after interim ones',
      `${head('HTTP/1.1 100 Continue')}${head('HTTP/1.1 103 Early Hints', 'Link: </a>')}${head('HTTP/1.1 204 No Content')}`,
      {},
      ['interim 100', 'interim 103', '204 "No Content" keep-alive none', '', 'complete'],
    ],
    [
      'that switches protocols',
      `${head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: upgrade')}frames`,
      { mayUpgrade: true },
      ['upgrade, then "frames"'],
    ],
    [
      'with a Host, which means nothing here',
      head('HTTP/1.1 204 No Content', 'Host: a b', 'Host: c', 'Expect: nothing'),
      {},
      ['204 "No Content" keep-alive none', '', 'complete'],
    ],
    [
      'before bytes that nobody asked for',
      `${head('HTTP/1.1 200 OK', 'Content-Length: 1')}VHTTP/1.1 200 OK\r\n`,
      {},
      ['200 "OK" keep-alive length', 'V', 'complete', '17 bytes too many'],
    ],
  ];
  for (const [name, text, options, lines] of accepted) test(name, () => expect(read(text, options)).toEqual(lines));

  const refused: [string, string, ReadOptions, string][] = [
    ['that begins with an empty line', `\r\n${head('HTTP/1.1 200 OK')}`, {}, 'statusLineInvalid'],
    ['of HTTP/0.9', '<html>', {}, 'statusLineInvalid'],
    ['of another protocol', head('ICY 200 OK'), {}, 'statusLineInvalid'],
    ['with a name in lower case', head('http/1.1 200 OK'), {}, 'statusLineInvalid'],
    ['of HTTP/1.2', head('HTTP/1.2 200 OK'), {}, 'responseVersion'],
    ['of HTTP/2.0', head('HTTP/2.0 200 OK'), {}, 'responseVersion'],
    ['of HTTP/1.10', head('HTTP/1.10 200 OK'), {}, 'responseVersion'],
    ['with two spaces before the status', head('HTTP/1.1  200 OK'), {}, 'statusInvalid'],
    ['with a status of two digits', head('HTTP/1.1 20 OK'), {}, 'statusInvalid'],
    ['with a status of four digits', head('HTTP/1.1 2000 OK'), {}, 'statusInvalid'],
    ['with a status below 100', head('HTTP/1.1 099 OK'), {}, 'statusInvalid'],
    ['with a status above 599', head('HTTP/1.1 600 OK'), {}, 'statusInvalid'],
    ['with a control character in its reason', head('HTTP/1.1 200 O\x00K'), {}, 'statusLineInvalid'],
    ['whose status line ends in a bare LF', 'HTTP/1.1 200 OK\nA: b\n\n', {}, 'lineEndInvalid'],
    ['whose status line ends in a bare CR', 'HTTP/1.1 200 OK\rA: b\r\n\r\n', {}, 'lineEndInvalid'],
    ['whose field ends in a bare LF', 'HTTP/1.1 200 OK\r\nA: b\n\r\n', {}, 'lineEndInvalid'],
    ['with a folded line', head('HTTP/1.1 200 OK', 'A: b', ' c'), {}, 'lineFolded'],
    ['with space before a colon', head('HTTP/1.1 200 OK', 'Content-Length : 5'), {}, 'fieldNameInvalid'],
    ['with a field without a colon', head('HTTP/1.1 200 OK', 'A'), {}, 'fieldNameInvalid'],
    ['with NUL in a field', head('HTTP/1.1 200 OK', 'A: \x00'), {}, 'fieldValueInvalid'],
    [
      'with a length and a coding',
      head('HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      {},
      'lengthAndCoding',
    ],
    [
      'with a length and a coding, to HEAD as well',
      head('HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      { isToHead: true },
      'lengthAndCoding',
    ],
    ['with two lengths', head('HTTP/1.1 200 OK', 'Content-Length: 5', 'Content-Length: 6'), {}, 'lengthRepeated'],
    ['with a list of lengths', head('HTTP/1.1 200 OK', 'Content-Length: 5, 5'), {}, 'lengthRepeated'],
    ['with a signed length', head('HTTP/1.1 200 OK', 'Content-Length: +5'), {}, 'lengthInvalid'],
    ['with a length beyond counting', head('HTTP/1.1 200 OK', 'Content-Length: 9007199254740991'), {}, 'bodyTooLarge'],
    ['with a coding that is not chunked', head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip'), {}, 'codingInvalid'],
    [
      'with a coding before chunked',
      head('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked'),
      {},
      'codingNotImplemented',
    ],
    ['with chunked twice', head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked, chunked'), {}, 'codingInvalid'],
    ['with an obscured coding', head('HTTP/1.1 200 OK', 'Transfer-Encoding: \x0bchunked'), {}, 'fieldValueInvalid'],
    ['of HTTP/1.0 in chunks', head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'), {}, 'codingInOldVersion'],
    ['204 with a length', head('HTTP/1.1 204 No Content', 'Content-Length: 5'), {}, 'contentNotAllowed'],
    ['204 in chunks', head('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked'), {}, 'contentNotAllowed'],
    ['103 with a length', head('HTTP/1.1 103 Early Hints', 'Content-Length: 5'), {}, 'contentNotAllowed'],
    ['100 of HTTP/1.0', head('HTTP/1.0 100 Continue'), {}, 'responseVersion'],
    ['101 that was not asked for', head('HTTP/1.1 101 Switching Protocols', 'Upgrade: x'), {}, 'upgradeNotAsked'],
  ];
  for (const [name, text, options, fault] of refused) {
    test(`${name} is refused`, () => expect(read(text, options)).toEqual([`refused: ${fault}`]));
  }

  const broken: [string, string, string[]][] = [
    ['in its head', 'HTTP/1.1 200 OK\r\nA', ['refused: endedInHead']],
    ['after an interim head', head('HTTP/1.1 100 Continue'), ['interim 100', 'refused: endedInHead']],
    [
      'before its length',
      `${head('HTTP/1.1 200 OK', 'Content-Length: 5')}Vryp`,
      ['200 "OK" keep-alive length', 'Vryp', 'refused: endedInContent'],
    ],
    [
      'before its last chunk',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}4\r\nVryp\r\n`,
      ['200 "OK" keep-alive lastChunk', 'Vryp', 'refused: endedInContent'],
    ],
    [
      'in its trailers',
      `${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}0\r\nA: b\r\n`,
      ['200 "OK" keep-alive lastChunk', '', 'A: b ', 'refused: endedInContent'],
    ],
  ];
  for (const [name, text, lines] of broken) {
    test(`that ends ${name} is broken`, () => expect(read(text, { ends: true })).toEqual(lines));
  }

  const inContent: [string, string, string][] = [
    ['a chunk size without digits', ';a\r\n', 'chunkSizeInvalid'],
    ['a chunk size with a prefix', '0x5\r\n', 'chunkSizeInvalid'],
    ['a chunk size beyond counting', 'fffffffffffffffff\r\n', 'chunkSizeInvalid'],
    ['chunks beyond counting', 'ffffffffffffffff\r\n', 'bodyTooLarge'],
    ['a chunk that ends in a bare LF', '1\r\nV\n0\r\n\r\n', 'chunkEndInvalid'],
    ['a longer chunk than it says', '1\r\nVV\r\n0\r\n\r\n', 'chunkEndInvalid'],
    ['a folded trailer', '0\r\n A: b\r\n\r\n', 'lineFolded'],
  ];
  for (const [name, text, fault] of inContent) {
    test(`with ${name} is refused`, () => {
      const lines = read(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}${text}`);
      expect(lines.at(-1)).toBe(`refused: ${fault}`);
    });
  }

  test('with more than the limits allow is refused, however it is cut', () => {
    expect(read(`HTTP/1.1 200 ${'x'.repeat(100)}`, { maxStatusLine: 64 })).toEqual(['refused: statusLineTooLong']);
    expect(read(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(100)}`, { maxHeaderSize: 64 })).toEqual([
      'refused: fieldsTooLarge',
    ]);
    expect(read(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(9)}`, { maxHeaderCount: 8 })).toEqual([
      'refused: tooManyFields',
    ]);
  });
});
