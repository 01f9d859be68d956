/** `init`: writes the description of the program in a folder, as far as its package.json tells it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../support/checkout.ts';
import { UsageError } from '../support/errors.ts';
import { say } from '../support/progress.ts';

const file = 'vrypt.release.json';

/** Where programs usually start, in this order. */
const usual = [
  'src/main.ts',
  'src/index.ts',
  'src/server.ts',
  'src/app.ts',
  'main.ts',
  'index.ts',
  'server.ts',
].flatMap((name) => [name, name.replace(/ts$/, 'js'), name.replace(/ts$/, 'mjs')]);

interface Manifest {
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

export function init(): void {
  const place = path.join(root, file);
  if (existsSync(place)) throw new UsageError(`${file} must not be there yet, it is: edit it`);
  const manifest = path.join(root, 'package.json');
  const { bin, main, scripts } = existsSync(manifest)
    ? (JSON.parse(readFileSync(manifest, 'utf8')) as Manifest)
    : ({} as Manifest);
  const started = /\b(?:node|tsx|ts-node|nodemon)\s+(?:-\S+\s+)*(\S+\.[mc]?[jt]s)/.exec(scripts?.['start'] ?? '')?.[1];
  const named = [typeof bin === 'string' ? bin : Object.values(bin ?? {})[0], started, main, ...usual];
  const entry = named.find((name) => name !== undefined && existsSync(path.join(root, name)));
  if (entry === undefined)
    throw new UsageError(`the program's entry must be found: name it in ${file}, as {"entry": "src/main.ts"}`);
  const $schema = './node_modules/vrypt-release/scripts/program/vrypt.release.schema.json';
  writeFileSync(place, `${JSON.stringify({ $schema, entry: path.normalize(entry) }, null, 2)}\n`);
  say(`wrote ${file}: it starts at ${entry}. Next: vrypt-release release`);
}
