/** `init`: writes the description of the program in a folder, as far as its package.json tells it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../support/checkout.ts';
import { explain, UsageError } from '../support/errors.ts';
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
  readonly name?: string;
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly main?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
}

export function init(): void {
  const place = path.join(root, file);
  if (existsSync(place)) throw new UsageError(`${file} must not be there yet, it is: edit it`);
  const { name = '', bin, main, scripts, files = [] } = readManifest();
  const own = typeof bin === 'string' ? bin : (bin?.[name.replace(/^@[^/]*\//, '')] ?? Object.values(bin ?? {})[0]);
  const [started, preloaded] = startedBy(scripts?.['start'] ?? '');
  const entry = [own, started, main, ...usual].flatMap((each) => (each === undefined ? [] : fileOf(each))).at(0);
  if (entry === undefined)
    throw new UsageError(`the program's entry must be found: name it in ${file}, as {"entry": "src/main.ts"}`);
  const $schema = './node_modules/vrypt-release/scripts/program/vrypt.release.schema.json';
  // What its author ships to npm may be found at run time; the rest follows from the code.
  const assets = files.filter((each) => !each.startsWith('!') && existsSync(path.join(root, each)));
  const description = { $schema, entry, ...(assets.length > 0 ? { assets } : {}) };
  writeFileSync(place, `${JSON.stringify(description, null, 2)}\n`);
  say(`wrote ${file}: it starts at ${entry}. Next: vrypt-release release`);
  for (const option of preloaded) {
    say(`note: the script "start" passes ${option} to Node; import such a module at the top of ${entry} instead`);
  }
}

function readManifest(): Manifest {
  const place = path.join(root, 'package.json');
  if (!existsSync(place)) return {};
  try {
    return JSON.parse(readFileSync(place, 'utf8')) as Manifest;
  } catch (error) {
    throw new UsageError(`package.json must be JSON: ${explain(error)}`);
  }
}

/** What `npm start` starts, and the modules that Node loads before it, but for those that only strip types. */
export function startedBy(script: string): readonly [file: string | undefined, preloaded: readonly string[]] {
  const words = /\b(?:node|tsx|ts-node|nodemon)\s+([^&|;]*)/.exec(script)?.[1]?.split(/\s+/) ?? [];
  const preloaded: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) {
      if (word !== 'watch' && word !== '') return [word, preloaded];
    } else if (/^(-r|--require|--import|--loader|--experimental-loader)$/.test(word)) {
      const value = words[++at] ?? '';
      if (!/^(tsx|ts-node|@swc-node|esbuild)/.test(value)) preloaded.push(`${word} ${value}`);
    }
  }
  return [undefined, preloaded];
}

/** As Node finds it: with or without an extension, or the index of a folder. */
function fileOf(name: string): string[] {
  const endings = ['', '.js', '.ts', '.mjs', '.cjs', '/index.js', '/index.ts'];
  const found = endings.map((ending) => name + ending).find((each) => isFile(path.join(root, each)));
  return found === undefined ? [] : [path.normalize(found)];
}

function isFile(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isFile() === true;
}
