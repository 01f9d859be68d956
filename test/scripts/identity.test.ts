import { expect, test } from 'vitest';
import { identityFaults } from '../../product/smoke/identity.ts';

const wanted = { version: '1.0.0', commit: 'abc', target: 'a-triple', runtime: 'f00', node: '24.0.0' };
const { node, ...rest } = wanted;

test('an executable that says what it was made from is good', () => {
  expect(identityFaults(wanted, JSON.stringify({ name: 'x', ...rest, versions: { node, v8: '1' } }))).toEqual([]);
});

test.each([
  ['node', { ...rest, versions: { node: '22.0.0' } }, '24.0.0, got 22.0.0'],
  ['commit', { ...rest, commit: 'abd', versions: { node } }, 'abc, got abd'],
  ['target', { ...rest, target: null, versions: { node } }, 'a-triple, got nothing'],
  ['runtime', { ...rest, runtime: 'f01', versions: { node } }, 'f00, got f01'],
])('another %s is named with both values', (name, says, values) => {
  expect(identityFaults(wanted, JSON.stringify(says))).toEqual([`--version --json must say ${name} ${values}`]);
});

test('something that is no JSON is shown', () => {
  expect(identityFaults(wanted, '0.1.0\n')).toEqual(['--version --json must print JSON, got "0.1.0\\n"']);
});
