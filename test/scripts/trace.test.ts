/** Which of its own files a program takes along, read from its text. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { trace } from '../../scripts/contents/trace.ts';

async function assetsOf(main: string): Promise<readonly string[]> {
  const folder = mkdtempSync('/tmp/vrypt-trace-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['src/words/fr.json', 'src/words/en.json', 'src/one.txt', 'other.txt']) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), '{}');
  }
  writeFileSync(path.join(folder, 'src/main.js'), main);
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

async function modulesOf(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync('/tmp/vrypt-trace-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
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
