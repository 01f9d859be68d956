/** Links between Markdown documents, and from them to files: what they name exists. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../scripts/support/checkout.ts';

const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
});
// Wire cases are full of brackets and link nowhere; a deleted file is listed until it is committed.
const documents = listed
  .split('\0')
  .filter((file) => file !== '' && !file.startsWith('test/cases/') && existsSync(path.join(root, file)));

/** Without blocks and spans of code. */
function proseOf(file: string): string {
  const text = readFileSync(path.join(root, file), 'utf8');
  return text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/(`+)[\s\S]*?\1/g, 'code');
}

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
function anchorsOf(file: string): Set<string> {
  const text = readFileSync(path.join(root, file), 'utf8').replace(/^(```|~~~)[\s\S]*?^\1/gm, '');
  const headings = [...text.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? '');
  const anchors = new Set<string>();
  for (const heading of headings) {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

function targetsIn(prose: string): string[] {
  const inline = [...prose.matchAll(/\]\(\s*<?([^\s)>]+)/g)];
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm)];
  return [...inline, ...references]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** undefined: the link leads somewhere. */
function faultOf(document: string, target: string): string | undefined {
  const [file = '', anchor] = target.split('#', 2).map(decodeURIComponent);
  const linked = file === '' ? document : path.join(path.dirname(document), file);
  if (!existsSync(path.join(root, linked))) return `${target}: there is no ${linked}`;
  if (anchor === undefined || !linked.endsWith('.md')) return undefined;
  return anchorsOf(linked).has(anchor) ? undefined : `${target}: ${linked} has no such heading`;
}

test('finds the documents', () => {
  expect(documents).toContain('README.md');
});

test.each(documents)('%s links only to files and headings that exist', (document) => {
  const faults = targetsIn(proseOf(document)).map((target) => faultOf(document, target));
  expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
});

test.each([
  ['a missing file', 'no-such-file.md', 'no-such-file.md: there is no no-such-file.md'],
  ['a missing heading', 'README.md#no-such-heading', 'README.md#no-such-heading: README.md has no such heading'],
  ['a missing heading of its own', '#no-such-heading', '#no-such-heading: README.md has no such heading'],
  ['a heading', '#run-it', undefined],
  ['a folder', 'test/cases', undefined],
])('judges a link to %s', (_what, target, fault) => {
  expect(faultOf('README.md', target)).toBe(fault);
});
