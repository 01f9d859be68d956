import { expect, test } from 'vitest';
import { manifest, table } from '../../scripts/steps/manifest.ts';
import type { Outcome } from '../../scripts/steps/smoke.ts';
import { tarball } from '../../scripts/targets/artifacts.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const ready = readTargets().targets.filter(isReady);
const [first, second] = ready as [(typeof ready)[0], (typeof ready)[0]];
const archive = {
  ...tarball(first),
  sha256: 'f'.repeat(64),
  bytes: 17_800_000,
  executableBytes: 51_800_000,
};
const outcomes: readonly Outcome[] = [
  { target: first, artifacts: [archive], smoked: { how: 'natively', checks: 19, startMs: 41.6 } },
  { target: second, artifacts: [archive], fault: 'it breaks a promise' },
];

test('the table has a row for each target, a verdict, and those without a runtime', () => {
  const lines = table(outcomes, [{ ...first, triple: 'vax-unknown-linux-gnu' }]).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/^\S+ +17\.8 MB +51\.8 MB +42 ms +good: 19 checks natively$/);
  expect(lines[2]).toMatch(/FAILED$/);
  expect(lines[3]).toMatch(/^vax-unknown-linux-gnu .* no runtime yet$/);
});

test('the manifest says what was tried and with which result, or why it was not', () => {
  expect(manifest(outcomes, 'c')).toMatchObject({
    node: readTargets().node,
    targets: [
      {
        target: first.triple,
        artifacts: [{ kind: 'tar.gz', sha256: archive.sha256, bytes: archive.bytes }],
        startMs: 42,
        verdict: 'good',
      },
      { target: second.triple, startMs: null, verdict: 'failed', fault: 'it breaks a promise' },
    ],
  });
});

test('a partial release keeps the entries of the other targets, in the order of targets.json', () => {
  const whole = manifest(outcomes, 'c');
  const partial = manifest([{ ...(outcomes[1] as Outcome), artifacts: [] }], 'c', whole);
  expect(partial.targets.map(({ target }) => target)).toEqual([first.triple, second.triple]);
  expect(partial.targets[0]).toEqual(whole.targets[0]);
  expect(partial.targets[1]?.artifacts).toEqual([]);
});

test('entries of another commit are not kept', () => {
  const whole = { ...manifest(outcomes, 'another') };
  expect(manifest([outcomes[1] as Outcome], 'c', whole).targets.map(({ target }) => target)).toEqual([second.triple]);
});
