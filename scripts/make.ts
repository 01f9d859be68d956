/** What `npm run release` makes, in build/archive/, files of all targets included; tries and releases nothing. */

import { makeArtifacts } from './steps/artifacts.ts';
import { wholeFiles } from './steps/image.ts';
import { withTargets } from './targets/select.ts';

await withTargets('Makes every file of a release in build/archive/, and tries none.', async (targets) => {
  const made = targets.map(async (target) => ({ target, artifacts: await makeArtifacts(target) }));
  await wholeFiles(await Promise.all(made));
});
