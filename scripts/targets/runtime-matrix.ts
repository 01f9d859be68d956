/** The matrix of the `runtimes` workflow. Pure. */
import type { Target } from './targets.ts';

export interface RuntimeRow {
  readonly name: string;
  readonly arguments: string;
}

/** One job per architecture, because the second of its two runtimes takes objects from the first. */
export function runtimeRows(targets: readonly Target[]): RuntimeRow[] {
  const jobs = Map.groupBy(targets, ({ architecture }) => architecture.name);
  return [...jobs].map(([name, members]) => ({
    name,
    arguments: members.map(({ triple }) => `--target=${triple}`).join(' '),
  }));
}
