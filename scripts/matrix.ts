/**
 * Prints what is derived from targets.json: the matrix of the release workflow as one line of JSON; with `--markdown`
 * the table of the README; with `--packages` the Debian packages that the steps call.
 */
import { parseArgs } from 'node:util';
import { markdownTable, matrixRows, packagesFor } from './derived.ts';
import { isReady, readTargets } from './targets.ts';

const flag = { type: 'boolean' } as const;
const { values } = parseArgs({ options: { markdown: flag, packages: flag } });
const { targets } = readTargets();

if (values.markdown) print(markdownTable(targets));
else if (values.packages) print(packagesFor(targets.filter(isReady)).join('\n'));
else print(JSON.stringify({ include: matrixRows(targets) }));

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
