import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

/** As much of a checkout as the lock needs. */
function checkout(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-lock-'));
  cpSync(path.join(root, 'scripts'), path.join(folder, 'scripts'), { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{"version":"1.0.0","type":"module"}');
  mkdirSync(path.join(folder, 'build'));
  return folder;
}

test('the second waits for the first, says so, and a dead holder is forgotten', async () => {
  const folder = checkout();
  const hold =
    "import { lockBuild } from './scripts/support/lock.ts'; await lockBuild(); console.log('held'); process.stdin.resume().on('end', () => process.exit());";
  // A holder that has died and whose process id now belongs to another process.
  writeFileSync(path.join(folder, 'build/lock'), `${process.pid} 1`);
  const start = (): ReturnType<typeof spawn> =>
    spawn(process.execPath, ['--input-type=module', '-e', hold], { cwd: folder, stdio: 'pipe' });
  try {
    const first = start();
    await once(first.stdout as NodeJS.ReadableStream, 'data');
    const second = start();
    const [said] = await once(second.stderr as NodeJS.ReadableStream, 'data');
    expect(String(said)).toBe(`waiting for process ${first.pid}, which works in build/\n`);
    first.stdin?.end();
    const [held] = await once(second.stdout as NodeJS.ReadableStream, 'data');
    expect(String(held)).toBe('held\n');
    second.stdin?.end();
    await once(second, 'close');
    expect(existsSync(path.join(folder, 'build/lock'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
