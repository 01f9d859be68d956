/**
 * Prints what is derived from targets.json: the matrix of the release workflow as one line of JSON; with `--markdown`
 * the table of the README; with `--packages` the Debian packages that the steps call, one a line.
 */
import { parseArgs } from 'node:util';
import { markdownTable, matrixRows, packagesFor } from './derived.ts';
import { isReady, readTargets } from './targets.ts';

const { values } = parseArgs({ options: { markdown: { type: 'boolean' }, packages: { type: 'boolean' } } });
const { targets } = readTargets();

if (values.markdown) print(markdownTable(targets));
else if (values.packages) print(packagesFor(targets.filter(isReady)).join('\n'));
else print(JSON.stringify({ include: matrixRows(targets) }));

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
