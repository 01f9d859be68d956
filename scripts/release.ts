/**
 * `npm run release`: every step for every target that has a runtime, or for those that are named. Ends with the table on
 * standard output, and with exit code 1 and the reasons if any target failed.
 */
import { prepare, release, releasePlan } from './commands/release.ts';
import type { Option } from './support/command.ts';
import { withTargets } from './targets/select.ts';
import { isReady, readTargets } from './targets/targets.ts';

const options: readonly Option[] = [
  { name: 'allow-dirty', help: 'also from a changed checkout; commit and manifest then say "-changed"' },
  {
    name: 'sign',
    value: 'file',
    help: 'signs the checksums with this secret key of minisign (default: they stay unsigned)',
  },
  {
    name: 'repository',
    value: 'url',
    help: 'where its releases are, https://github.com/owner/name: for install.sh and the notes',
  },
  { name: 'previous', value: 'file', help: "the last release's manifest.json, for the notes: what has grown" },
  {
    name: 'check-repeatable',
    help: 'also makes everything again, from another folder, as another user: every byte must be equal',
  },
  { name: 'plan', help: 'only print what would be made' },
  { name: 'prepare', help: 'only install and fetch what a release needs: afterwards it needs no network' },
];

await withTargets(
  'Makes and tries the archives, the checksums and the manifest in dist/.',
  async (targets, given) => {
    if (given.has('prepare')) return await prepare(targets);
    if (given.has('plan')) return process.stdout.write(await releasePlan(targets));
    const isWhole = given.valuesOf('target').length === 0;
    return await release(targets, {
      allowDirty: given.has('allow-dirty'),
      checkRepeatable: given.has('check-repeatable'),
      repository: given.valuesOf('repository')[0],
      previous: given.valuesOf('previous')[0],
      signingKey: given.valuesOf('sign')[0],
      missing: isWhole ? readTargets().targets.filter((target) => !isReady(target)) : [],
      print: (text) => process.stdout.write(text),
    });
  },
  options,
);
