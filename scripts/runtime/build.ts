/**
 * `npm run runtime`: builds Node executables for our targets from source. `--help` says how.
 */
import { availableParallelism } from 'node:os';
import { verifyRuntime } from './finish.ts';
import { runSteps } from './job.ts';
import { installNeeds } from './needs.ts';
import { HELP, parseOptions } from './options.ts';
import { findPlatform } from './platforms.ts';
import { stepsOf } from './steps.ts';

const options = parseOptions(process.argv.slice(2));
if (typeof options === 'string') {
  console.error(options);
  process.exit(2);
}
if (options.task === 'help') {
  console.log(HELP);
  process.exit(0);
}
await installNeeds();
for (const platform of options.platforms) {
  if (options.task === 'verify') {
    await verifyRuntime(platform);
    continue;
  }
  const sibling = findPlatform(platform.core ?? '');
  if (sibling !== undefined) await runSteps(sibling, stepsOf(sibling), availableParallelism());
  await runSteps(platform, stepsOf(platform), availableParallelism());
}
