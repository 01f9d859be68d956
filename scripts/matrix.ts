/**
 * Prints what is derived from targets.json: the matrix of the release workflow as one line of JSON; with `--markdown`
 * the table of the README, with `--readme` putting it there; with `--packages` the Debian packages that the steps call.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable, matrixRows, packagesFor } from './derived.ts';
import { Failure } from './problem.ts';
import { root } from './project.ts';
import { isReady, readTargets } from './targets.ts';

const flag = { type: 'boolean' } as const;
const { values } = parseArgs({ options: { markdown: flag, packages: flag, readme: flag } });
const { targets } = readTargets();

if (values.markdown) print(markdownTable(targets));
else if (values.readme) putIntoReadme();
else if (values.packages) print(packagesFor(targets.filter(isReady)).join('\n'));
else print(JSON.stringify({ include: matrixRows(targets) }));

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Replaces the table that starts with the same heading. */
function putIntoReadme(): void {
  const file = path.join(root, 'README.md');
  const table = markdownTable(targets);
  const heading = table.slice(0, table.indexOf('\n'));
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(heading);
  if (start < 0) throw new Failure(`README.md has no table that starts with ${heading}`);
  const end = text.indexOf('\n\n', start);
  writeFileSync(file, text.slice(0, start) + table + text.slice(end < 0 ? text.length : end));
}
