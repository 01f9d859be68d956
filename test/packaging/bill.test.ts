/** Bills of materials against the schema that CycloneDX publishes. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { expect, test } from 'vitest';
import { billOfMaterials, type Part } from '../../scripts/packaging/bill.ts';
import { root } from '../../scripts/support/checkout.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const schema = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const npm: Part = {
  kind: 'npm',
  name: '@scope/commander',
  version: '15.0.0',
  license: 'MIT',
  hash: { alg: 'SHA-512', content: 'ab'.repeat(64) },
};

function bill(target: string, parts: readonly Part[]): string {
  const executable = { sha256: 'cd'.repeat(32) };
  return billOfMaterials({ name: 'demo', version: '1.2.3', target, license: 'MIT', executable, time: 0, parts });
}

test.each(readTargets().targets.filter(isReady))(
  '$triple: what its runtime is made of, and npm packages',
  async ({ triple }) => {
    const { sources } = JSON.parse(readFileSync(path.join(root, 'runtimes', triple, 'BUILD.json'), 'utf8')) as {
      sources: readonly { name: string; version: string; license: string; sha256: string }[];
    };
    const parts = sources.map(
      ({ sha256, ...source }): Part => ({ ...source, kind: 'runtime', hash: { alg: 'SHA-256', content: sha256 } }),
    );
    expect(await schema.validate(bill(triple, [...parts, npm]))).toBeNull();
  },
);

test('the schema finds a hash that is none', async () => {
  expect(await schema.validate(bill('here', [{ ...npm, hash: { alg: 'SHA-512', content: 'short' } }]))).not.toBeNull();
});
