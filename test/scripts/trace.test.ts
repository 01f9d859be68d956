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
