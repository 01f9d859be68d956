/**
 * `npm run release`: every step for every target that has a runtime, or for those that are named. Ends with the table on
 * standard output, and with exit code 1 and the reasons if any target failed.
 */
import { prepare, release } from './commands/release.ts';
import type { Option } from './support/command.ts';
import { withTargets } from './targets/select.ts';
import { isReady, readTargets } from './targets/targets.ts';

const options: readonly Option[] = [
  { name: 'allow-dirty', help: 'also from a changed checkout; commit and manifest then say "-changed"' },
  { name: 'prepare', help: 'only install and fetch what a release needs: afterwards it needs no network' },
];

await withTargets(
  'Makes and tries the archives, the checksums and the manifest in dist/.',
  async (targets, given) => {
    if (given.has('prepare')) return await prepare(targets);
    const isWhole = given.valuesOf('target').length === 0;
    return await release(targets, {
      allowDirty: given.has('allow-dirty'),
      missing: isWhole ? readTargets().targets.filter((target) => !isReady(target)) : [],
      print: (text) => process.stdout.write(text),
    });
  },
  options,
);
