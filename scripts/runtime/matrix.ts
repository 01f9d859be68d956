/**
 * Prints the matrix of the `runtimes` workflow: one job an architecture, because the second of its two runtimes
 * takes objects from the first. Arguments: the triples wanted, all when there are none.
 */
import { parseOptions } from './options.ts';

const names = process.argv.slice(2);
const options = parseOptions(names.length === 0 ? ['--all'] : names.flatMap((name) => ['--target', name]));
if (typeof options === 'string') {
  console.error(options);
  process.exit(2);
}
const jobs = new Map<string, string[]>();
for (const { triple, core } of options.platforms) {
  const job = core ?? triple;
  jobs.set(job, [...(jobs.get(job) ?? []), triple]);
}
const include = [...jobs].map(([name, triples]) => ({
  name,
  arguments: triples.map((triple) => `--target=${triple}`).join(' '),
}));
console.log(JSON.stringify({ include }));
