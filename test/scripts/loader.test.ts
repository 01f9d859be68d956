/** How a packaged program finds its modules and files: Node's rules, over a pack. */
import { expect, test } from 'vitest';
import { type NewFile, writePack } from '../../scripts/formats/pack.ts';
import { Files } from '../../scripts/loader/files.ts';
import { Resolver } from '../../scripts/loader/resolve.ts';

const root = '/vrypt/a';
const importing = ['node', 'import'];
const requiring = ['node', 'require'];

function pack(texts: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): Files {
  const files: NewFile[] = Object.entries(texts).map(([name, text]) => ({
    path: `${root}/${name}`,
    data: Buffer.from(text),
    isModule: false,
  }));
  const at = Object.fromEntries(Object.entries(links).map(([from, to]) => [`${root}/${from}`, `${root}/${to}`]));
  const head = { root, main: `${root}/main.js`, time: 0, hasSourceMaps: false, links: at, aliases: {} };
  return new Files(writePack(head, files));
}

const files = pack(
  {
    'main.js': '',
    'src/own.ts': '',
    'lib/index.js': '',
    'node_modules/plain/package.json': '{"main":"lib"}',
    'node_modules/plain/lib/index.js': '',
    'node_modules/plain/data.json': '{}',
    'node_modules/dual/package.json':
      '{"name":"dual","type":"module","exports":{".":{"import":"./a.mjs","require":"./a.cjs"},"./x/*":"./x/*.js"},"imports":{"#in":"./a.mjs"}}',
    'node_modules/dual/a.mjs': '',
    'node_modules/dual/a.cjs': '',
    'node_modules/dual/x/y.js': '',
    'node_modules/dual/secret.js': '',
    'store/real/package.json': '{"main":"r.js"}',
    'store/real/r.js': 'r',
  },
  { 'node_modules/linked': 'store/real' },
);
const resolver = new Resolver(files);

test.each([
  ['./main.js', importing, 'main.js'],
  ['./lib', requiring, 'lib/index.js'],
  ['./src/own.js', importing, 'src/own.ts'],
  ['plain', requiring, 'node_modules/plain/lib/index.js'],
  ['plain/data.json', requiring, 'node_modules/plain/data.json'],
  ['plain/data', importing, undefined],
  ['dual', importing, 'node_modules/dual/a.mjs'],
  ['dual', requiring, 'node_modules/dual/a.cjs'],
  ['dual/x/y', importing, 'node_modules/dual/x/y.js'],
  ['linked', requiring, 'store/real/r.js'],
  ['nothing', requiring, undefined],
])('%s, with %j, is %s', (specifier, conditions, expected) => {
  const found = resolver.resolve(specifier, `${root}/main.js`, conditions);
  expect(found).toBe(expected === undefined ? undefined : `${root}/${expected}`);
});

test('a package finds itself by its name, and its own imports', () => {
  const inside = `${root}/node_modules/dual/x/y.js`;
  expect(resolver.resolve('dual', inside, importing)).toBe(`${root}/node_modules/dual/a.mjs`);
  expect(resolver.resolve('#in', inside, importing)).toBe(`${root}/node_modules/dual/a.mjs`);
});

test('what a package does not export is refused as Node refuses it', () => {
  const resolve = (): unknown => resolver.resolve('dual/secret.js', `${root}/main.js`, importing);
  expect(resolve).toThrow(expect.objectContaining({ code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' }));
});

test('the kind of a module follows from its extension and its package', () => {
  expect(resolver.formatOf(`${root}/node_modules/dual/x/y.js`)).toBe('module');
  expect(resolver.formatOf(`${root}/node_modules/dual/a.cjs`)).toBe('commonjs');
  expect(resolver.formatOf(`${root}/node_modules/plain/data.json`)).toBe('json');
  expect(resolver.formatOf(`${root}/main.js`)).toBe('commonjs');
  expect(resolver.formatOf(`${root}/node_modules/dual/x/y`)).toBe('module');
});

test('paths are inside or not, however they are written', () => {
  expect(files.inside(`${root}/src/../main.js`)).toBe(`${root}/main.js`);
  expect(files.inside(new URL(`file://${root}/main.js`))).toBe(`${root}/main.js`);
  expect(files.inside(`${root}/../b`)).toBeUndefined();
  expect(files.inside('/vrypt/ab')).toBeUndefined();
  expect(files.inside(7)).toBeUndefined();
  expect(files.names(root)).toEqual(['lib', 'main.js', 'node_modules', 'src', 'store']);
  expect(files.names(`${root}/nope`)).toBeUndefined();
});

test('the order in which files were collected does not change the pack', () => {
  const one = { path: `${root}/a`, data: Buffer.from('1'), isModule: false };
  const two = { path: `${root}/b/c`, data: Buffer.from('2'), isModule: true };
  const head = { root, main: one.path, time: 0, hasSourceMaps: false, links: {}, aliases: {} };
  expect(writePack(head, [one, two]).equals(writePack(head, [two, one]))).toBe(true);
});
