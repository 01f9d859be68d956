import { expect, test } from 'vitest';
import { manifest, table } from '../../scripts/manifest.ts';
import type { Outcome } from '../../scripts/smoke.ts';
import { isReady, readTargets } from '../../scripts/targets.ts';

const ready = readTargets().targets.filter(isReady);
const [first, second] = ready as [(typeof ready)[0], (typeof ready)[0]];
const archive = { file: '/x', sha256: 'f'.repeat(64), octets: 17_800_000, executableOctets: 51_800_000 };
const outcomes: readonly Outcome[] = [
  { target: first, archive, smoked: { how: 'natively', checks: 19, startMs: 41.6 } },
  { target: second, archive, fault: 'it does not keep this promise' },
];

test('the table has a row for each target, a verdict, and those without a runtime', () => {
  const lines = table(outcomes, [{ ...first, triple: 'vax-unknown-linux-gnu' }]).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/^\S+ +17\.8 MB +51\.8 MB +42 ms +good: 19 checks natively$/);
  expect(lines[2]).toMatch(/FAILED$/);
  expect(lines[3]).toMatch(/^vax-unknown-linux-gnu .* no runtime yet$/);
});

test('the manifest says what was tried, with which result, and why not', () => {
  expect(manifest(outcomes)).toMatchObject({
    node: readTargets().node,
    targets: [
      { target: first.triple, sha256: archive.sha256, startMs: 42, verdict: 'good' },
      { target: second.triple, startMs: null, verdict: 'failed', fault: 'it does not keep this promise' },
    ],
  });
});
