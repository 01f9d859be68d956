/** `plan`: what would be made, and what cannot be made and why. Makes nothing. */
import { contentsFor, readSources } from '../contents/contents.ts';
import type { System } from '../contents/native.ts';
import { obstaclesOf } from '../contents/suitability.ts';
import { program } from '../program/program.ts';
import { megabytes } from '../support/progress.ts';
import { artifactsOf } from '../targets/artifacts.ts';
import { needsOf } from '../targets/target-facts.ts';
import type { ReadyTarget } from '../targets/targets.ts';
import { warningsOf } from './report.ts';

export interface Plan {
  readonly name: string;
  readonly version: string;
  readonly entry: string;
  readonly modules: number | null;
  readonly packages: readonly string[];
  readonly targets: readonly PlannedTarget[];
  readonly warnings: readonly string[];
}

interface PlannedTarget {
  readonly target: string;
  readonly needs: string;
  readonly files: readonly string[];
  /** Of modules, packages and assets. */
  readonly bytes: number | null;
  /** Empty: it can be made. */
  readonly obstacles: readonly string[];
}

export async function plan(targets: readonly ReadyTarget[]): Promise<Plan> {
  const { name, version, entry, oneFile } = program;
  const sources = oneFile === undefined ? await readSources() : undefined;
  return {
    name,
    version,
    entry,
    modules: sources?.traced.modules.length ?? null,
    packages: sources?.closure.packages.map((each) => `${each.name}@${each.version}`) ?? [],
    targets: await Promise.all(targets.map(planOne)),
    warnings: await warningsOf(),
  };
}

async function planOne(target: ReadyTarget): Promise<PlannedTarget> {
  const obstacles = await obstaclesOf(target);
  const contents = obstacles.length === 0 && program.oneFile === undefined ? await contentsFor(target, 0) : undefined;
  return {
    target: target.triple,
    needs: contents?.system === undefined ? needsOf(target) : needsOfAddons(contents.system),
    files: artifactsOf(target).map(({ file }) => file),
    bytes: contents?.pack.length ?? null,
    obstacles,
  };
}

function needsOfAddons({ glibc, libraries }: System): string {
  return `glibc ${glibc} or newer${libraries.map((library) => `, ${library}`).join('')}, because of native addons`;
}

/** For people. */
export function planText({ name, version, entry, modules, packages, targets, warnings }: Plan): string {
  const inside = modules === null ? 'one file' : `${modules} modules of its own, ${packages.length} packages`;
  const width = Math.max(...targets.map(({ target }) => target.length));
  const rows = targets.map(({ target, needs, bytes, obstacles: [obstacle] }) => {
    const size = bytes === null ? '' : `${megabytes(bytes)} beside Node; `;
    return `${target.padEnd(width)}  ${obstacle === undefined ? `${size}needs ${needs}` : `cannot: ${obstacle}`}`;
  });
  return [`${name} ${version}, from ${entry}: ${inside}`, ...rows, ...warnings.map((line) => `note: ${line}`)].join(
    '\n',
  );
}
