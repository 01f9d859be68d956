/** The command line of everything that works on targets: `--target <triple>`, repeatable, then the lock. */
import { type CommandSpec, command, type Given, type Option } from '../support/command.ts';
import { explain, Failure } from '../support/errors.ts';
import { assertPath } from '../support/host.ts';
import { lockBuild } from '../support/lock.ts';
import { type ReadyTarget, readTargets, selectTargets } from './targets.ts';

export const targetOption: Option = {
  name: 'target',
  short: 't',
  value: 'triple',
  help: 'only this target; may be repeated (default: every target that has a runtime)',
};

/** Runs `work` once with the chosen targets. */
export async function withTargets(
  about: string,
  work: (targets: readonly ReadyTarget[], given: Given) => Promise<unknown>,
  options: readonly Option[] = [],
): Promise<void> {
  const spec: CommandSpec = { about, options: [targetOption, ...options] };
  await command(spec, async (given) => {
    assertPath();
    const targets = selectTargets(readTargets(), given.valuesOf('target'));
    await lockBuild();
    await work(targets, given);
  });
}

/** Runs `work` for each chosen target, also after one has failed. */
export async function eachTarget(about: string, work: (target: ReadyTarget) => Promise<unknown>): Promise<void> {
  await withTargets(about, async (targets) => {
    const results = await Promise.allSettled(targets.map(work));
    const lines = results.flatMap((result, index) =>
      result.status === 'rejected' ? [`${targets[index]?.triple}: ${explain(result.reason)}`] : [],
    );
    if (lines.length > 0) throw new Failure([...new Set(lines)].join('\n'));
  });
}
