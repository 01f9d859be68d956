/** Which of its own files a program takes along, read from its text. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assertDoWithout, trace } from '../../scripts/contents/trace.ts';

async function assetsOf(main: string): Promise<readonly string[]> {
  const names = ['src/words/fr.json', 'src/words/en.json', 'src/one.txt', 'other.txt'];
  const folder = folderWith({ ...Object.fromEntries(names.map((name) => [name, '{}'])), 'src/main.js': main });
  return (await trace(folder, ['src/main.js'])).assets;
}

test.each([
  ['a URL beside the module', "new URL('./one.txt', import.meta.url)", ['src/one.txt']],
  ['a file above it', "path.join(import.meta.dirname, '..', 'other.txt')", ['other.txt']],
  ['a folder', "path.join(__dirname, 'words')", ['src/words']],
  ['a name that is computed', "path.join(__dirname, 'words', language + '.json')", ['src/words']],
  ['a name with a place to fill in', "path.join(import.meta.dirname, 'words', '{{lng}}.json')", ['src/words']],
  ['a template', `\`\${import.meta.dirname}/words/\${language}.json\``, ['src/words']],
  ['a URL that is computed', `new URL(\`./words/\${language}.json\`, import.meta.url)`, ['src/words']],
  ['texts that are added', "__dirname + '/words/' + language", ['src/words']],
  ['the folder of the module itself', 'path.join(__dirname, name)', []],
  ['what is not there', "path.join(__dirname, 'gone.txt')", []],
])('%s', async (_, text, assets) => {
  expect(await assetsOf(`${text};\n`)).toEqual(assets);
});

test.each([
  ["path.join(__dirname, '..', 'data', 'gone.db')", ['data/gone.db']],
  ["path.resolve(import.meta.dirname, 'gone')", ['src/gone']],
  ["new URL('./gone.html', import.meta.url)", ['src/gone.html']],
  ["path.join(__dirname, 'one.txt')", []],
  ["path.join(__dirname, 'gone', name)", []],
  ["path.join(__dirname, 'words', '{{lng}}.json')", []],
  ["path.join(__dirname, '../../../outside.txt')", []],
])('what %s misses is told', async (text, gone) => {
  const folder = folderWith({ 'src/main.js': text, 'src/one.txt': '', 'src/words/fr.json': '{}' });
  expect((await trace(folder, ['src/main.js'])).gone).toEqual(gone.map((name) => ['src/main.js', name]));
});

test('a package that is not installed is refused where nothing catches that', async () => {
  const folder = folderWith({
    'main.js': "import './a.cjs';\nimport('lost').catch(() => {});\ntry {\n  await import('lost');\n} catch {}\n",
    'a.cjs': "try {\n  require('@lost/one');\n} catch {}\nrequire('there');\n",
    'b.cjs': "\nrequire('@lost/one/file.js');\n",
  });
  const lost = ['lost', '@lost/one'];
  await assertDoWithout(folder, ['main.js'], lost);
  await expect(assertDoWithout(folder, ['main.js', 'b.cjs'], lost)).rejects.toThrow(
    /^b\.cjs:2: @lost\/one\/file\.js is not installed\nInstall it, or name it in "without"/,
  );
});

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync('/tmp/vrypt-trace-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

async function modulesOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = folderWith(files);
  return (await trace(folder, [Object.keys(files)[0] ?? ''])).modules;
}

test('modules of a folder that is named bring what they import; those for browsers are only files', async () => {
  const modules = await modulesOf({
    'bin/www': "#!/usr/bin/env node\nrequire('../app');\n",
    'app.js': "for (const name of ['a']) require(path.join(__dirname, 'routes', name));\n",
    'routes/a.js': "require('../lib/b');\n",
    'lib/b.js': 'module.exports = 1;\n',
  });
  expect(modules).toEqual(['app.js', 'bin/www', 'lib/b.js', 'routes/a.js']);
});

test('so does the folder of a module that lists it', async () => {
  const modules = await modulesOf({
    'main.js': "require('./models');\n",
    'models/index.js': 'for (const name of fs.readdirSync(__dirname)) require(path.join(__dirname, name));\n',
    'models/user.js': "require('../types.js');\n",
    'types.js': '',
  });
  expect(modules).toEqual(['main.js', 'models/index.js', 'models/user.js', 'types.js']);
});
