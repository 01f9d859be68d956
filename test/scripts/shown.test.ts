import { expect, test } from 'vitest';
import { complaint } from '../../scripts/smoke/shown.ts';

test.each([
  ['the line of a program that says it itself', 'error: no port\n', 'error: no port'],
  [
    "the message of Node's report, with its place",
    'file:///a/main.js:6\n@b\n^\n\nSyntaxError: Invalid token\n    at c (d:1)\n',
    'SyntaxError: Invalid token (file:///a/main.js:6)',
  ],
  [
    'what an emulator cannot do',
    'node:internal/child_process:458\n    throw error;\n\nError: spawn ENOEXEC\n    at a\n',
    'Error: spawn ENOEXEC (node:internal/child_process:458); an emulated program starts itself only where binfmt_misc knows the emulator',
  ],
  ['nothing', '', ''],
])('%s is what a program complains of', (_, stderr, expected) => {
  expect(complaint(stderr)).toBe(expected);
});
