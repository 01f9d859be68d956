import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import { manifest, table } from '../../scripts/steps/manifest.ts';
import type { Outcome } from '../../scripts/steps/smoke.ts';
import { summary } from '../../scripts/steps/summary.ts';
import type { Verified } from '../../scripts/steps/verify.ts';
import { root } from '../../scripts/support/checkout.ts';
import { tarball } from '../../scripts/targets/artifacts.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const ready = readTargets().targets.filter(isReady);
const [first, second] = ready as [(typeof ready)[0], (typeof ready)[0]];
const archive = {
  ...tarball(first),
  sha256: 'f'.repeat(64),
  bytes: 17_800_000,
};
const product: Verified = {
  file: '/nowhere',
  sha256: 'e'.repeat(64),
  packages: [],
  bytes: 51_800_000,
  glibc: '2.31',
  libraries: ['libc.so.6'],
  hardening: { address: 'fixed', relro: 'none', binding: 'at start', stack: 'not executable', writableCode: false },
};
const head = { commit: 'c0ffeec0ffee', time: 1_700_000_000 };
const outcomes: readonly Outcome[] = [
  { target: first, artifacts: [archive], product, smoked: { how: 'natively', checks: 19, startMs: 41.6 } },
  { target: second, artifacts: [archive], fault: 'it breaks a promise' },
];

test('the table has a row for each target, a verdict, and those without a runtime', () => {
  const lines = table(outcomes, [{ ...first, triple: 'vax-unknown-linux-gnu' }]).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/^\S+ +17\.8 MB +51\.8 MB +42 ms +good: 19 checks natively$/);
  expect(lines[2]).toMatch(/FAILED$/);
  expect(lines[3]).toMatch(/^vax-unknown-linux-gnu .* no runtime yet$/);
});

test('the summary of a job is made from the manifest: sizes, floors, verdicts and what went wrong', () => {
  const lines = summary(manifest(outcomes, head)).split('\n');
  expect(lines).toContain(`Commit \`c0ffeec0ffee\` of 2023-11-14, Node.js ${readTargets().node}.`);
  expect(lines).toContain(
    `| \`${first.triple}\` | 17.8 MB | 51.8 MB | 2.31 | 1 | verify: read byte for byte; smoke: 19 checks, natively |`,
  );
  expect(lines).toContain(`| \`${second.triple}\` | 17.8 MB | – | – | 1 | **failed**: it breaks a promise |`);
});

test('the manifest says what was tried and with which result, or why it was not', () => {
  expect(manifest(outcomes, head)).toMatchObject({
    node: readTargets().node,
    targets: [
      {
        target: first.triple,
        files: [{ kind: 'tar.gz', sha256: archive.sha256, bytes: archive.bytes }],
        checks: [{ name: 'verify' }, { name: 'smoke', detail: '19 checks, natively' }],
        verdict: 'good',
      },
      { target: second.triple, executable: null, verdict: 'failed', fault: 'it breaks a promise' },
    ],
  });
});

test('a partial release keeps the entries of the other targets, in the order of targets.json', () => {
  const whole = manifest(outcomes, head);
  const partial = manifest([{ ...(outcomes[1] as Outcome), artifacts: [] }], head, whole);
  expect(partial.targets.map(({ target }) => target)).toEqual([first.triple, second.triple]);
  expect(partial.targets[0]).toEqual(whole.targets[0]);
  expect(partial.targets[1]?.files).toEqual([]);
});

test('entries of another commit are not kept', () => {
  const whole = { ...manifest(outcomes, { ...head, commit: 'another' }) };
  expect(manifest([outcomes[1] as Outcome], head, whole).targets.map(({ target }) => target)).toEqual([second.triple]);
});

test('the manifest follows its schema, which refuses what it does not know', () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
  formats.default(ajv);
  const isRight = ajv.compile(JSON.parse(readFileSync(path.join(root, 'scripts/steps/manifest.schema.json'), 'utf8')));
  const made = manifest(outcomes, head);
  isRight(made);
  expect(isRight.errors).toBe(null);
  expect(isRight({ ...made, startMs: 3 })).toBe(false);
  expect(isRight({ ...made, commit: 'a branch' })).toBe(false);
});
