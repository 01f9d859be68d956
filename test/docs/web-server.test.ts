/** Every configuration in the guide to the web server is one. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';
import { readConfigText } from '../../src/web/config/read-config.ts';
import { makeFolder } from '../web/start-web.ts';

/** What the page says is there. */
const FILES = [
  'cert.pem',
  'key.pem',
  '404.html',
  'sorry.html',
  'public/index.html',
  'app/index.html',
  'admin/index.html',
];

const page = readFileSync(path.join(root, 'docs/web-server.md'), 'utf8');
const blocks = [...page.matchAll(/^```toml\n([\s\S]*?)^```\n/gm)].map(([, text = '']) => text);

test.each(blocks)('%#', (text) => {
  const directory = makeFolder(Object.fromEntries(FILES.map((file) => [file, 'x'])));
  mkdirSync(path.join(directory, 'logs'));
  writeFileSync(path.join(directory, 'users'), `ada:$2b$10$${'a'.repeat(53)}\n`);
  const read = readConfigText(text, 'vrypt.toml', { directory, environment: {} });
  expect(read.kind === 'bad' ? read.messages : []).toEqual([]);
});
