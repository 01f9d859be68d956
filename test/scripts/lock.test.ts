import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Checkout } from './checkout.ts';

const hold = `
  import { lockBuild } from './scripts/support/lock.ts';
  await lockBuild();
  console.log('held');
  process.stdin.resume().on('end', () => process.exit());`;
const inNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canUnshare = process.getuid?.() === 0 && spawnSync('unshare', [...inNamespace.slice(1), 'true']).status === 0;
let checkout: Checkout;

beforeAll(() => {
  checkout = new Checkout('vrypt-lock-');
});

afterAll(() => checkout.remove());

function start(prefix: readonly string[] = []): ChildProcess {
  const [file = '', ...args] = [...prefix, process.execPath, '--input-type=module', '--eval', hold];
  return spawn(file, args, { cwd: checkout.folder, stdio: 'pipe' });
}

async function heard(stream: NodeJS.ReadableStream | null): Promise<string> {
  const [text] = await once(stream as NodeJS.ReadableStream, 'data');
  return String(text);
}

async function end(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.stdin?.end();
  await closed;
}

test('the second waits for the first, and says so', async () => {
  const first = start();
  expect(await heard(first.stdout)).toBe('held\n');
  const second = start();
  expect(await heard(second.stderr)).toBe(`waiting for process ${first.pid}, which works in build/\n`);
  const held = heard(second.stdout);
  await end(first);
  expect(await held).toBe('held\n');
  await end(second);
});

test('a killed holder, or a file that somebody left there, does not lock', async () => {
  const first = start();
  expect(await heard(first.stdout)).toBe('held\n');
  const died = once(first, 'close');
  first.kill('SIGKILL');
  await died;
  writeFileSync(path.join(checkout.folder, 'build/lock'), `${process.pid} 1`);
  const second = start();
  expect(await heard(second.stdout)).toBe('held\n');
  await end(second);
});

test.skipIf(!canUnshare)('it is seen from another PID namespace, where the holder has no process id', async () => {
  const first = start();
  expect(await heard(first.stdout)).toBe('held\n');
  const second = start(inNamespace);
  expect(await heard(second.stderr)).toMatch(/^waiting for process \d+, which works in build\/\n$/);
  const held = heard(second.stdout);
  await end(first);
  expect(await held).toBe('held\n');
  await end(second);
});
