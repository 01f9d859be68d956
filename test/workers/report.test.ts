import { expect, test } from 'vitest';
import { escapeControls } from '../../src/workers/report.ts';

test('control characters cannot control a terminal; line ends stay', () => {
  expect(escapeControls('a\nb\r\u001b[2J\u0000\u007f\u009b\tc é ✓')).toBe('a\nb\\x0d\\x1b[2J\\x00\\x7f\\x9b\\x09c é ✓');
});
