/** Requests from the grammar of RFC 9112, most of them valid or nearly so, which random bytes would hardly ever be. */
import type { Random } from './random.ts';

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'OPTIONS',
  'CONNECT',
  'get',
  'M-SEARCH',
  "!#$%&'*+-.^_`|~",
  'HEADX',
  'G',
];
const TARGETS = [
  '/',
  '/a/b?c=d&e',
  '*',
  '/%20%',
  '/%zz',
  '//x',
  '/a#b',
  '/é',
  'http://a/',
  'http://a:80',
  'https://[::1]:443/x?y',
  'HTTP://A/%41',
  'http://u@a/',
  'http://',
  'ftp://a/',
  'a:80',
  'a',
  '[::1]:1',
  'a:',
  'http://[v1.a:b]/',
];
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/11',
  '',
];
const HOSTS = [
  'a',
  'a',
  'a:80',
  'A:443',
  '[::1]',
  '[::1]:1',
  '[1::2::3]',
  '[1:2:3:4:5:6:7:8]',
  '[::1.2.3.4]',
  '[v1.x]',
  '1.2.3.4',
  'a b',
  '',
  'a:65536',
  'a,b',
  '%41',
  'u@a',
];
const NAMES = [
  'X',
  'Accept',
  'Cookie',
  'X-Y_z',
  'x'.repeat(40),
  'Hos',
  'Content-Lengt',
  'Transfer-Encodin',
  ' X',
  'X ',
  '',
  'é',
];
const VALUES = ['y', '', '  y\t', 'é', 'a, b', '\0', '"q\\"', 'y'.repeat(70), '\u007f'];
const LENGTHS = [
  '0',
  '1',
  '5',
  '31',
  '33',
  '00005',
  '+5',
  '-1',
  '5, 5',
  '5,6',
  '99999999999999999999999',
  '0x5',
  '',
  ' 5 ',
  '5 5',
];
const CODINGS = [
  'chunked',
  'Chunked',
  'CHUNKED',
  'gzip, chunked',
  'chunked, gzip',
  'gzip',
  'chunked, chunked',
  '',
  ',chunked,',
  'chunked;a',
  'x chunked',
];
const CONNECTIONS = ['close', 'keep-alive', 'Close, x', 'x,KEEP-ALIVE', 'keep-alive, close', '', 'closed', 'upgrade'];
const EXPECTATIONS = ['100-continue', '100-Continue', 'x', '100-continue, x', ''];
const SIZES = [
  '0',
  '1',
  '5',
  'a',
  'A',
  '1F',
  '0005',
  '00000000000000005',
  'ffffffffffffffff',
  'g',
  '',
  '-1',
  '0x1',
  ' 5',
];
const EXTENSIONS = [
  '',
  '',
  '',
  ';a',
  ';a=b',
  ';a="b"',
  '; a = "\\"" ',
  ' ;a',
  ';',
  ';a=',
  ';=b',
  ';a="',
  ' ',
  ';a;b=c',
];
const ENDS = [
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\r\n ',
  '\0',
];

/** One to four requests in a row, as latin1. */
export function generate(random: Random): string {
  let text = '';
  for (let count = 1 + random.below(random.oneIn(3) ? 4 : 1); count > 0; count--) text += request(random);
  // Truncated requests exercise waiting for more.
  if (random.oneIn(5)) text = text.slice(0, random.below(text.length + 1));
  return text;
}

/** Mostly CR LF. */
function end(random: Random): string {
  return random.oneIn(8) ? random.pick(ENDS) : '\r\n';
}

function request(random: Random): string {
  let text = '';
  if (random.oneIn(10)) text += end(random).repeat(1 + random.below(10));
  const target = random.oneIn(3) ? random.pick(TARGETS) : '/x';
  text += `${random.pick(METHODS)} ${target}`;
  if (random.oneIn(40)) text += 'x'.repeat(random.below(100));
  text += ` ${random.oneIn(4) ? random.pick(VERSIONS) : 'HTTP/1.1'}${end(random)}`;
  if (!random.oneIn(12)) text += field(random, 'Host', HOSTS);
  for (let count = random.below(4); count > 0; count--) {
    text += field(random, random.pick(NAMES), VALUES);
  }
  if (random.oneIn(4)) text += field(random, 'Connection', CONNECTIONS);
  if (random.oneIn(6)) text += field(random, 'Expect', EXPECTATIONS);
  switch (random.below(4)) {
    case 0:
      return text + counted(random);
    case 1:
      return text + chunked(random);
    case 2:
      return random.oneIn(10) ? text + field(random, 'Content-Length', LENGTHS) + chunked(random) : text + end(random);
    default:
      return text + end(random);
  }
}

function field(random: Random, name: string, values: readonly string[]): string {
  const value = random.oneIn(3) ? random.pick(values) : (values[0] as string);
  const spelled = random.oneIn(10) ? name.toUpperCase() : name;
  return `${spelled}${random.oneIn(50) ? ' :' : ':'}${random.oneIn(4) ? '' : ' '}${value}${end(random)}`;
}

function counted(random: Random): string {
  const length = random.oneIn(2) ? String(random.below(40)) : random.pick(LENGTHS);
  let text = `Content-Length: ${length}${end(random)}`;
  if (random.oneIn(20)) text += `Content-Length: ${length}${end(random)}`;
  const bytes = Math.min(Number.parseInt(length, 10) || 0, 100) + (random.oneIn(10) ? random.below(5) - 2 : 0);
  return `${text}${end(random)}${'b'.repeat(Math.max(0, bytes))}`;
}

function chunked(random: Random): string {
  let text = field(random, 'Transfer-Encoding', CODINGS) + end(random);
  for (let count = random.below(4); count > 0; count--) {
    const size = random.oneIn(3) ? random.pick(SIZES) : (1 + random.below(20)).toString(16);
    const bytes = Math.max(0, Math.min(Number.parseInt(size, 16) || 0, 64));
    text += `${size}${random.pick(EXTENSIONS)}${end(random)}${'c'.repeat(bytes)}${end(random)}`;
  }
  text += `0${random.pick(EXTENSIONS)}${end(random)}`;
  for (let count = random.oneIn(3) ? random.below(6) : 0; count > 0; count--) {
    text += field(random, random.pick(NAMES), VALUES);
  }
  return text + end(random);
}
