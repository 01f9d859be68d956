import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, shown } from '../../scripts/support/checkout.ts';
import { codeOf } from '../../scripts/support/imports.ts';

const folder = path.join(root, 'scripts/steps');
const steps = readdirSync(folder).map((file) => path.join(folder, file));

async function namesOf(step: string): Promise<string[]> {
  return (await codeOf(path.join(folder, `${step}.ts`))).map(shown);
}

test('a step depends on its own file and on what that imports, however indirectly', async () => {
  const verify = await namesOf('verify');
  expect(verify).toEqual(
    expect.arrayContaining([
      'scripts/steps/verify.ts',
      'scripts/formats/elf.ts',
      'scripts/formats/sea-blob.ts',
      'scripts/targets/target-facts.ts',
      'scripts/targets/architectures.ts',
    ]),
  );
  expect(await namesOf('smoke')).toEqual(
    expect.arrayContaining(['scripts/smoke/checks.ts', 'scripts/sandbox/sandbox.ts']),
  );
});

test.each(steps)('%s depends on no other step', async (step) => {
  const others = (await codeOf(step)).filter((file) => file !== step).map(shown);
  expect(others.filter((file) => file.startsWith('scripts/steps/'))).toEqual([]);
});

test('a step depends on the step runner and on the table of targets; one that compiles, not on the runner', async () => {
  expect(await namesOf('package')).toEqual(
    expect.arrayContaining(['scripts/support/step.ts', 'scripts/support/run.ts', 'scripts/targets/targets.ts']),
  );
  const compile = (await codeOf(path.join(root, 'scripts/runtime/compile.ts'))).map(shown);
  expect(compile.filter((file) => file.startsWith('scripts/support/'))).toEqual([]);
});

// A step uses only the result of another one, which is among its inputs; a shared fact must live in another room.
test.each(steps)('%s imports from other steps only functions that run them, and types', (step) => {
  const imports = readFileSync(step, 'utf8').matchAll(/^import \{([^}]*)\} from '\.\/([\w-]+)\.ts'/gm);
  for (const [, names = '', from = ''] of imports) {
    for (const name of names.split(',').map((text) => text.trim())) {
      if (name === '' || name.startsWith('type ')) continue;
      expect({ from, name }).toEqual({ from, name: expect.stringMatching(runners[from] ?? /^$/) });
    }
  }
});

const runners: Readonly<Record<string, RegExp>> = {
  bundle: /^bundle$/,
  'code-cache': /^codeCache$/,
  'node-binary': /^nodeBinary$/,
  'close-environment': /^closeEnvironment$/,
  // Known bytes for the archive, which are the same either way.
  deflate: /^deflated$/,
  inject: /^injected$/,
  package: /^packaged$/,
  verify: /^verify$/,
  archive: /^archive$/,
  inspect: /^inspect$/,
  artifacts: /^makeArtifacts$/,
  bill: /^bill$/,
  'system-package': /^systemPackage$/,
  // No steps: a hash of all that they gather is an input of the steps that call them.
  'product-facts': /^(product( as productOf)?|executableOf)$/,
  texts: /^(readmeFor|thirdPartyLicenses)$/,
  // Pure, and called by dist.ts alone.
  'release-files': /^releaseFiles$/,
  installer: /^installer$/,
  // Pure, and no step: dist.ts, which calls it, is run every time.
  manifest: /^manifest$/,
};
