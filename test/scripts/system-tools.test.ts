import { expect, test } from 'vitest';
import { has, need } from '../../scripts/support/system-tools.ts';

const shell = { look: 'sh', packages: ['dash'], to: 'test' };

test('finds a command on the PATH and a file by its path', async () => {
  expect(await need(shell)).toMatch(/^\/.*\/sh$/);
  expect(await need({ ...shell, look: '/bin/sh' })).toBe('/bin/sh');
});

test('says that a command is missing', async () => {
  expect(await has({ ...shell, look: 'no-such-command' })).toBe(false);
});

test.runIf(process.getuid?.() !== 0)('without root, the error is the one command to type', async () => {
  const missing = { look: 'no-such-command', packages: ['one', 'two'], to: 'test' };
  await expect(need(missing)).rejects.toThrow('type: sudo apt-get install -y one two');
});
