import { expect, test } from 'vitest';
import { contentTypeOf } from '../../src/files/mime.ts';

test.each([
  ['index.html', 'text/html; charset=utf-8'],
  ['a/INDEX.HTML', 'text/html; charset=utf-8'],
  ['a.js', 'text/javascript; charset=utf-8'],
  ['a.mjs', 'text/javascript; charset=utf-8'],
  ['a.css', 'text/css; charset=utf-8'],
  ['a.txt', 'text/plain; charset=utf-8'],
  ['a.json', 'application/json'],
  ['a.webmanifest', 'application/manifest+json'],
  ['a.svg', 'image/svg+xml'],
  ['a.xml', 'text/xml; charset=utf-8'],
  ['a.png', 'image/png'],
  ['a.wasm', 'application/wasm'],
  ['a.woff2', 'font/woff2'],
  ['a.pdf', 'application/pdf'],
  ['a.mp4', 'video/mp4'],
  ['a.tar.gz', 'application/gzip'],
  ['a.unknown', 'application/octet-stream'],
  ['a', 'application/octet-stream'],
  ['html', 'application/octet-stream'],
  ['a.b/html', 'application/octet-stream'],
  ['a.', 'application/octet-stream'],
  ['a.constructor', 'application/octet-stream'],
  ['a.__proto__', 'application/octet-stream'],
])('%s is %s', (path, type) => {
  expect(contentTypeOf(path)).toBe(type);
});
