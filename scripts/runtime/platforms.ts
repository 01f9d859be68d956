/** What the build of a runtime derives from its target, beyond the table of architectures. */
import { readTargets, type Target } from '../targets/targets.ts';

/** The runtime for the other C library whose V8 objects this one takes (share-v8-objects.ts); undefined: it compiles V8. */
export function v8SourceOf({ triple, architecture, libc }: Target): Target | undefined {
  if (libc === architecture.node.compilesV8) return undefined;
  return readTargets().targets.find((other) => other.architecture === architecture && other.triple !== triple);
}

/** Of each architecture first the runtime that compiles V8. */
export function inBuildOrder(targets: readonly Target[]): Target[] {
  const byArchitecture = Map.groupBy(targets, ({ architecture }) => architecture);
  return [...byArchitecture.values()].flatMap((members) => [
    ...members.filter((target) => v8SourceOf(target) === undefined),
    ...members.filter((target) => v8SourceOf(target) !== undefined),
  ]);
}

/** The folder of architecture-dependent files in Debian's packages for this C library. */
export function multiarchOf({ architecture, libc }: Target): string {
  return libc === 'musl' ? architecture.multiarch.replace('-gnu', '-musl') : architecture.multiarch;
}
