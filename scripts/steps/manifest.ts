/**
 * What was released, as JSON for programs (`dist/manifest.json`) and as a table for people. Pure. A partial release
 * keeps the other targets' entries if they are of the same version, commit and Node.
 */
import { program } from '../program/program.ts';
import { megabytes } from '../support/progress.ts';
import { readTargets, type Target } from '../targets/targets.ts';
import type { Outcome } from './smoke.ts';

export interface Manifest {
  readonly version: string;
  readonly commit: string;
  readonly node: string;
  readonly targets: readonly ManifestTarget[];
}

export interface ManifestTarget {
  readonly target: string;
  readonly platform: string;
  readonly oldest: Target['oldest'];
  readonly artifacts: readonly { kind: string; file: string; sha256: string; bytes: number }[];
  readonly executableBytes: number | null;
  readonly startMs: number | null;
  readonly smoked: string | null;
  readonly verdict: 'good' | 'failed';
  readonly fault?: string;
}

/** In the order of targets.json. */
export function manifest(outcomes: readonly Outcome[], commit: string, earlier?: Manifest): Manifest {
  const { node, targets } = readTargets();
  const head = { version: program.version, commit, node };
  const isSame = earlier?.version === head.version && earlier.commit === head.commit && earlier.node === head.node;
  const entries = targets.flatMap(({ triple }) => {
    const outcome = outcomes.find(({ target }) => target.triple === triple);
    if (outcome !== undefined) return [entryOf(outcome)];
    return isSame ? earlier.targets.filter(({ target }) => target === triple) : [];
  });
  return { ...head, targets: entries };
}

/** One row per target, those without a runtime last. */
export function table(outcomes: readonly Outcome[], missing: readonly Target[]): string {
  const rows = outcomes.map(({ target, artifacts: [archive], smoked, fault }) => [
    target.triple,
    archive === undefined ? '-' : megabytes(archive.bytes),
    archive === undefined ? '-' : megabytes(archive.executableBytes),
    smoked === undefined ? '-' : `${smoked.startMs.toFixed(0)} ms`,
    fault === undefined ? `good: ${smoked?.checks} checks ${smoked?.how}` : 'FAILED',
  ]);
  const absent = missing.map((target) => [target.triple, '-', '-', '-', 'no runtime yet']);
  const all = [['target', 'archive', 'unpacked', 'start', 'verdict'], ...rows, ...absent];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row.map((cell, column) =>
        isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      ),
    )
    .map((row) => row.join('  ').trimEnd())
    .join('\n');
}

function entryOf({ target, artifacts, smoked, fault }: Outcome): ManifestTarget {
  return {
    target: target.triple,
    platform: target.architecture.platform,
    oldest: target.oldest,
    artifacts: artifacts.map(({ kind, file, sha256, bytes }) => ({ kind, file, sha256, bytes })),
    executableBytes: artifacts[0]?.executableBytes ?? null,
    startMs: smoked === undefined ? null : Math.round(smoked.startMs),
    smoked: smoked?.how ?? null,
    verdict: fault === undefined ? 'good' : 'failed',
    ...(fault === undefined ? {} : { fault }),
  };
}

function isNumber(column: number): boolean {
  return column > 0 && column < 4;
}
