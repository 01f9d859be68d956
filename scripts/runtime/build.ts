/** `npm run runtime`: compiles Node for our targets from source. `--help` says how. */
import { root } from '../support/checkout.ts';
import { type CommandSpec, command, type Given } from '../support/command.ts';
import { UsageError } from '../support/errors.ts';
import { lockBuild } from '../support/lock.ts';
import { cores } from '../support/slots.ts';
import { targetOption } from '../targets/select.ts';
import { findTargets, readTargets, type Target } from '../targets/targets.ts';
import { needBuildPackages, needCheckPackages } from './build-packages.ts';
import { runSteps } from './job.ts';
import { inBuildOrder, v8SourceOf } from './platforms.ts';
import { verifyRuntime } from './publish-runtime.ts';
import { stepsOf } from './steps.ts';

const spec: CommandSpec = {
  about:
    'Compiles Node from source, checks the result and puts it into runtimes/<triple>/.\n' +
    'A build that was stopped continues where it was. Root is needed for the checks, and installs missing packages.\n' +
    'About 60 CPU minutes per architecture and 6 GB of disk per target (build/runtime/, which may be deleted).',
  options: [
    { ...targetOption, help: 'build this target; may be repeated' },
    { name: 'all', help: 'build every target' },
    { name: 'verify', help: 'build nothing: check again what runtimes/ contains' },
  ],
};

await command(spec, async (given) => {
  const targets = inBuildOrder(chosenTargets(given));
  await lockBuild();
  const isCheck = given.has('verify');
  if (!isCheck && /\s/.test(root)) {
    throw new UsageError(`the path of the checkout must have no spaces to build runtimes in it, got "${root}"`);
  }
  await (isCheck ? needCheckPackages() : needBuildPackages());
  for (const target of targets) await (isCheck ? verifyRuntime(target) : buildRuntime(target));
});

async function buildRuntime(target: Target): Promise<void> {
  const source = v8SourceOf(target);
  if (source !== undefined) await runSteps(source, stepsOf(source), cores);
  await runSteps(target, stepsOf(target), cores);
}

/** Nothing by default: it takes hours. */
function chosenTargets(given: Given): readonly Target[] {
  const table = readTargets();
  if (given.has('all')) return table.targets;
  const names = given.valuesOf('target');
  if (names.length === 0) throw new UsageError('--target <triple> or --all must be given, got neither');
  return findTargets(table, names);
}
