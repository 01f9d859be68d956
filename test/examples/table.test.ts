/** What the first lines of the examples say, and the table made from them. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

const FOLDER = path.join(root, 'examples');
const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

interface Introduction {
  readonly what: string;
  readonly answers: string;
  readonly command: string;
}

/** What the first lines of an example say. */
function introductionOf(name: string): Introduction {
  const text = readFileSync(path.join(FOLDER, name, 'server.ts'), 'utf8');
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(text)?.[1]?.replace(/^ \* ?/gm, '') ?? '';
  const [prose = '', ...lines] = comment.split('\n\n');
  const [, what = '', answers = ''] = /^([\s\S]*?)\s+Answers ([\s\S]*)\.$/.exec(prose) ?? [];
  const command = /^ {4}(?:.* )?(node examples\/\S+)/m.exec(lines.join('\n'))?.[1] ?? '';
  return { what: what.replaceAll('\n', ' '), answers: answers.replaceAll('\n', ' '), command };
}

test.each(names)('%s says what it does, which example it answers and how to start it, in 120 lines at most', (name) => {
  const { what, answers, command } = introductionOf(name);
  expect([what, answers, command]).toEqual([
    expect.stringMatching(/\.$/),
    expect.stringMatching(/Peregrine|Vanilla|httprs/),
    `node examples/${name}/server.ts`,
  ]);
  const files = readdirSync(path.join(FOLDER, name)).filter((file) => /\.(ts|html)$/.test(file));
  const lines = files.map((file) => readFileSync(path.join(FOLDER, name, file), 'utf8').split('\n').length - 1);
  expect(lines.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(120);
});

test('the table of examples is made from their first lines', () => {
  const rows = names.map((name) => {
    const { what, answers, command } = introductionOf(name);
    return `| [${name}](${name}) | ${what} | \`${command}\` | ${answers} |`;
  });
  const table = ['| Example | What it does | Start it | Answers |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const file = path.join(FOLDER, 'README.md');
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf('| Example |');
  const expected = `${text.slice(0, start)}${table}\n${text.slice(text.indexOf('\n\n', start) + 1)}`;
  if (process.env['UPDATE']) writeFileSync(file, expected);
  else expect(text, 'npm run readme updates it').toBe(expected);
});
