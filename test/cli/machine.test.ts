import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ROOT } from './server-process.ts';

test('the least limit on open files is named even if every descriptor is taken', () => {
  // Modules are files too: they are loaded first.
  const program = `
    import { openSync } from 'node:fs';
    const { planCapacity } = await import('./src/cli/capacity.ts');
    const { readMachine } = await import('./src/cli/machine.ts');
    try { for (;;) openSync('/dev/null'); } catch {}
    try { planCapacity({ workers: 1, maxConnections: 1, maxConnectionsLabel: null }, readMachine(1)); }
    catch ({ message }) { process.stdout.write(message); }
  `;
  const limited = ['-c', 'ulimit -n 50; exec "$0" "$@"', process.execPath, '--input-type=module', '-e', program];
  const printed = execFileSync('sh', limited, { cwd: ROOT, encoding: 'utf8' });
  expect(printed).toBe('the limit on open files must be at least 53 (ulimit -n), got 50');
});
