/**
 * Step 9, `manifest`: what was released, as JSON for programs (`dist/manifest.json`) and as a table for people.
 */
import { writeFile } from 'node:fs/promises';
import { archiveName, manifestPath } from './derived.ts';
import { commit, version } from './project.ts';
import { megabytes } from './say.ts';
import type { Outcome } from './smoke.ts';
import { readTargets, type Target } from './targets.ts';

export async function writeManifest(outcomes: readonly Outcome[]): Promise<void> {
  await writeFile(manifestPath, `${JSON.stringify(manifest(outcomes), null, 2)}\n`);
}

export function manifest(outcomes: readonly Outcome[]): object {
  return {
    version,
    commit: commit(),
    node: readTargets().node,
    targets: outcomes.map(({ target, archive, smoked, fault }) => ({
      target: target.triple,
      platform: target.platform,
      oldest: target.oldest,
      archive: archiveName(target),
      sha256: archive?.sha256 ?? null,
      archiveOctets: archive?.octets ?? null,
      executableOctets: archive?.executableOctets ?? null,
      startMs: smoked === undefined ? null : Math.round(smoked.startMs),
      smoked: smoked?.how ?? null,
      verdict: fault === undefined ? 'good' : 'failed',
      ...(fault === undefined ? {} : { fault }),
    })),
  };
}

/** One row a target, those without a runtime last. */
export function table(outcomes: readonly Outcome[], missing: readonly Target[]): string {
  const rows = outcomes.map(({ target, archive, smoked, fault }) => [
    target.triple,
    archive === undefined ? '-' : megabytes(archive.octets),
    archive === undefined ? '-' : megabytes(archive.executableOctets),
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

function isNumber(column: number): boolean {
  return column > 0 && column < 4;
}
