/**
 * Prints what is derived from targets.json: the matrix of the release workflow as one line of JSON, or with
 * `--markdown` the table of the README.
 */
import { parseArgs } from 'node:util';
import { markdownTable, matrixRows } from './derived.ts';
import { readTargets } from './targets.ts';

const { values } = parseArgs({ options: { markdown: { type: 'boolean' } } });
const { targets } = readTargets();
process.stdout.write(
  `${values.markdown ? markdownTable(targets) : JSON.stringify({ include: matrixRows(targets) })}\n`,
);
