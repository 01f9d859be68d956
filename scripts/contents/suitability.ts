/** What a target cannot give to the program, said before anything is built. */
import semver from 'semver';
import { program } from '../program/program.ts';
import { root } from '../support/checkout.ts';
import { explain, Failure, UsageError } from '../support/errors.ts';
import { once } from '../support/once.ts';
import { type Capabilities, capabilitiesOf } from '../targets/capabilities.ts';
import { readTargets, type Target } from '../targets/targets.ts';
import { contentsFor, readSources } from './contents.ts';
import { type Feature, features, type Need, needsOf } from './needs.ts';
import { reached } from './trace.ts';
import { toJavaScript } from './typescript.ts';

const lacking: Readonly<Record<Feature, keyof Capabilities>> = {
  intl: 'icu',
  properties: 'icu',
  normalize: 'icu',
  sqlite: 'sqlite',
  inspector: 'inspector',
  quic: 'quic',
};

/** The reasons why this target cannot carry the program; empty if it can. A program that makes no sense at all is an error. */
export async function obstaclesOf(target: Target): Promise<string[]> {
  const { node } = readTargets();
  const reasons: string[] = [];
  if (program.oneFile !== undefined) return reasons;
  const { closure } = await readSources();
  const engines = [
    { name: program.name, range: program.engines, isOptional: false },
    ...closure.packages.map(({ name, version, engines, isOptional }) => ({
      name: `${name} ${version}`,
      range: engines,
      isOptional,
    })),
  ];
  for (const { name, range, isOptional } of engines) {
    if (isOptional || semver.validRange(range) === null || !semver.ltr(node, range)) continue;
    reasons.push(`${name} requires Node ${range}, and the runtimes are Node ${node}`);
  }
  const has = capabilitiesOf(target);
  for (const { feature, file, line } of await allNeeds()) {
    if (!has[lacking[feature]])
      reasons.push(`${file}:${line} uses ${features[feature]}, which this runtime is built without`);
  }
  try {
    await contentsFor(target, 0);
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Failure)) throw error;
    reasons.push(explain(error));
  }
  return reasons;
}

/** One place of each feature. */
function allNeeds(): Promise<readonly Need[]> {
  return once('needs', async () => {
    const found = new Map<Feature, Need>();
    const files = await reached(root, [program.entry, ...program.workers], program.without);
    for (const file of files.filter((each) => /\.([mc]?[jt]s|[jt]sx)$/.test(each))) {
      const { code } = await toJavaScript(root, file);
      for (const need of needsOf(file, code)) {
        if (!found.has(need.feature)) found.set(need.feature, need);
      }
    }
    return [...found.values()];
  });
}
