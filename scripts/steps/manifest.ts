/**
 * What was released, as JSON for programs (`manifest.json`), which everything else that speaks of a release is made from. Pure.
 * A partial release keeps the other targets' entries if they are of the same version, commit and Node. Nothing in it depends on
 * the moment or the machine but how a target was run; times are in `report.json`.
 */
import type { Hardening } from '../formats/hardening.ts';
import { program } from '../program/program.ts';
import { megabytes } from '../support/progress.ts';
import { budgetOf } from '../targets/target-facts.ts';
import { readTargets, type Target } from '../targets/targets.ts';
import type { Outcome } from './smoke.ts';

export interface Manifest {
  readonly format: 2;
  readonly name: string;
  readonly version: string;
  readonly commit: string;
  /** Of the commit. */
  readonly date: string;
  readonly node: string;
  readonly targets: readonly ManifestTarget[];
  /** Of the whole release: image, installer, schema. */
  readonly files: readonly ManifestFile[];
}

export interface ManifestFile {
  readonly kind: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface ManifestTarget {
  readonly target: string;
  readonly platform: string;
  readonly oldest: Target['oldest'];
  readonly files: readonly ManifestFile[];
  readonly runtime: { readonly sha256: string };
  readonly executable: Executable | null;
  readonly budget: { readonly executable: number; readonly archive: number };
  readonly checks: readonly { readonly name: string; readonly verdict: 'good' | 'failed'; readonly detail: string }[];
  readonly verdict: 'good' | 'failed';
  readonly fault?: string;
}

export interface Executable {
  readonly sha256: string;
  readonly bytes: number;
  readonly machine: string;
  readonly class: 32 | 64;
  readonly interpreter: string | null;
  /** The highest version of glibc's symbols that it requires. */
  readonly glibc: string | null;
  readonly libraries: readonly string[];
  readonly hardening: Hardening;
}

/** What a release is made from. */
export interface Head {
  readonly commit: string;
  /** Seconds since 1970. */
  readonly time: number;
}

/** In the order of targets.json; without the files of the whole release. */
export function manifest(outcomes: readonly Outcome[], { commit, time }: Head, earlier?: Manifest): Manifest {
  const { node, targets } = readTargets();
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const head = { format: 2, name: program.name, version: program.version, commit, date, node } as const;
  const isSame = Object.entries(head).every(([key, value]) => earlier?.[key as keyof typeof head] === value);
  const entries = targets.flatMap(({ triple }) => {
    const outcome = outcomes.find(({ target }) => target.triple === triple);
    if (outcome !== undefined) return [entryOf(outcome)];
    return isSame ? (earlier?.targets.filter(({ target }) => target === triple) ?? []) : [];
  });
  return { ...head, targets: entries, files: isSame ? (earlier?.files ?? []) : [] };
}

/** One row per target, those without a runtime last. */
export function table(outcomes: readonly Outcome[], missing: readonly Target[]): string {
  const rows = outcomes.map(({ target, artifacts: [archive], product, smoked, fault }) => [
    target.triple,
    archive === undefined ? '-' : megabytes(archive.bytes),
    product === undefined ? '-' : megabytes(product.bytes),
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

/** What differs between two runs of the same release: times and the machine. */
export function report(outcomes: readonly Outcome[], seconds: number): string {
  const targets = outcomes.map(({ target, smoked }) => ({
    target: target.triple,
    startMs: smoked === undefined ? null : Math.round(smoked.startMs),
    smoked: smoked?.how ?? null,
  }));
  return `${JSON.stringify({ seconds: Math.round(seconds), targets }, null, 2)}\n`;
}

function entryOf({ target, artifacts, product, smoked, fault }: Outcome): ManifestTarget {
  const { machine, class: bits } = target.architecture.elf;
  return {
    target: target.triple,
    platform: target.architecture.platform,
    oldest: target.oldest,
    files: artifacts.map(({ kind, file, sha256, bytes }) => ({ kind, file, sha256, bytes })),
    runtime: { sha256: target.runtime.sha256 },
    executable:
      product === undefined
        ? null
        : {
            sha256: product.sha256,
            bytes: product.bytes,
            machine,
            class: bits,
            interpreter: target.interpreter,
            glibc: product.glibc,
            libraries: product.libraries,
            hardening: product.hardening,
          },
    budget: budgetOf(target),
    checks: [
      ...(product === undefined ? [] : [{ name: 'verify', verdict: 'good' as const, detail: 'read byte for byte' }]),
      ...(smoked === undefined
        ? []
        : [{ name: 'smoke', verdict: 'good' as const, detail: `${smoked.checks} checks, ${smoked.how}` }]),
    ],
    verdict: fault === undefined ? 'good' : 'failed',
    ...(fault === undefined ? {} : { fault }),
  };
}

function isNumber(column: number): boolean {
  return column > 0 && column < 4;
}
