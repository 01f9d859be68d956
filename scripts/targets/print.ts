/** Prints what is derived from targets.json, for workflows and people; each switch is one of its outputs. */
import { type CommandSpec, command } from '../support/command.ts';
import { UsageError } from '../support/errors.ts';
import { runtimeRows } from './runtime-matrix.ts';
import { markdownTable, matrixRows, packagesFor } from './target-facts.ts';
import { findTargets, isReady, readTargets } from './targets.ts';

const spec: CommandSpec = {
  about: 'Prints the matrix of the release workflow, one line of JSON, or what a switch names instead.',
  options: [
    { name: 'markdown', help: 'the table of targets in the README' },
    { name: 'packages', help: 'the Debian packages that the steps call' },
    { name: 'runtimes', help: 'the matrix of the runtimes workflow; arguments: the triples, default all' },
  ],
  positionals: 'triples',
};

await command(spec, async (given) => {
  const table = readTargets();
  if (given.positionals.length > 0 && !given.has('runtimes')) {
    throw new UsageError(`only --runtimes takes arguments, got "${given.positionals.join(' ')}"`);
  }
  if (given.has('markdown')) print(markdownTable(table.targets));
  else if (given.has('packages')) print(packagesFor(table.targets.filter(isReady)).join('\n'));
  else if (given.has('runtimes')) {
    const targets = given.positionals.length === 0 ? table.targets : findTargets(table, given.positionals);
    print(JSON.stringify({ include: runtimeRows(targets) }));
  } else print(JSON.stringify({ include: matrixRows(table.targets) }));
});

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
