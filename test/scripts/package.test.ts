import { expect, test } from 'vitest';
import { unexpectedLine } from '../../scripts/steps/inject.ts';

const good = "warning: Can't find string offset for section name '.note.gnu.build-id'\n";

test('what postject prints on a good run is accepted', () => {
  expect(unexpectedLine(good)).toBeUndefined();
});

test.each([
  "warning: Can't find string offset for section name '.text'",
  'Error: Could not find the sentinel',
  '(node:1) ExperimentalWarning: Single executable application',
])('any other line is a failure: %s', (line) => {
  expect(unexpectedLine(`${good}${line}\n`)).toBe(line);
});
