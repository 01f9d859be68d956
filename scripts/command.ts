/**
 * The command line that all steps share: `--target <triple>` (repeatable), `--help`. Turns what a step throws into
 * lines on standard error and an exit code: 2 for a wrong command line, 1 for a failure.
 */
import { parseArgs } from 'node:util';
import { lockBuild } from './lock.ts';
import { explain, Failure, UsageError } from './problem.ts';
import { say } from './say.ts';
import { type ReadyTarget, readTargets, selectTargets } from './targets.ts';

/** Runs `work` for each chosen target, all of them even when one fails. */
export async function eachTarget(about: string, work: (target: ReadyTarget) => Promise<unknown>): Promise<void> {
  await command(about, (targets) => forEach(targets, work));
}

/** Runs `work` once with the chosen targets; `names` are those that were asked for by name. */
export async function command(
  about: string,
  work: (targets: readonly ReadyTarget[], names: readonly string[]) => Promise<unknown>,
): Promise<void> {
  try {
    const names = parse(about);
    if (names === undefined) return;
    const targets = selectTargets(readTargets(), names);
    await lockBuild();
    await work(targets, names);
  } catch (error) {
    for (const line of explain(error).split('\n')) say(line);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

export async function forEach(
  targets: readonly ReadyTarget[],
  work: (target: ReadyTarget) => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled(targets.map(work));
  const lines = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${targets[index]?.triple}: ${explain(result.reason)}`] : [],
  );
  if (lines.length > 0) throw new Failure([...new Set(lines)].join('\n'));
}

function parse(about: string): string[] | undefined {
  try {
    const { values } = parseArgs({
      options: { target: { type: 'string', multiple: true, short: 't' }, help: { type: 'boolean', short: 'h' } },
      strict: true,
      allowPositionals: false,
    });
    if (values.help !== true) return values.target ?? [];
    process.stdout.write(
      `${about}\n\n  -t, --target <triple>  only this target; may be given several times (default: all with a runtime)\n`,
    );
    return undefined;
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}
