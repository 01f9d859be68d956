import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasStuckThread } from '../../src/cli/end-process.ts';
import { ServerProcess } from './server-process.ts';

describe('a stuck thread', () => {
  test.each([
    ['S', false],
    ['R', false],
    ['T', true],
    ['t', true],
    ['D', true],
  ])('a thread in state %s: %s', (state, isStuck) => {
    const tasks = mkdtempSync(path.join(tmpdir(), 'vrypt-tasks-'));
    onTestFinished(() => rmSync(tasks, { recursive: true }));
    for (const [task, letter] of [
      ['10', 'R'],
      ['11', state],
    ] as const) {
      mkdirSync(path.join(tasks, task));
      writeFileSync(path.join(tasks, task, 'stat'), `${task} (T) t) ${letter} 1 10 10 0 -1\n`);
    }
    // One that has ended between the list and the look.
    mkdirSync(path.join(tasks, '12'));
    expect(hasStuckThread(tasks)).toBe(isStuck);
  });

  test('is not found without /proc', () => {
    expect(hasStuckThread('/no/such/folder')).toBe(false);
  });
});

/** Stops the thread, prints a line, and never lets it go on; the kernel keeps what has ended until its tracer has seen it. */
const HOLD = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
thread = int(sys.argv[1])
PTRACE_ATTACH, WALL = 16, 0x40000000
if libc.ptrace(PTRACE_ATTACH, thread, None, None) != 0: sys.exit('cannot trace')
os.waitpid(thread, WALL)
print('stopped', flush=True)
while True:
    try: os.waitpid(thread, WALL)
    except ChildProcessError: break
`;

/** A debugger is no part of Node: Python's ctypes reaches ptrace(2), where this user may trace. */
const canTrace = (() => {
  try {
    execFileSync('python3', ['-c', 'import ctypes; ctypes.CDLL(None).ptrace'], { stdio: 'ignore' });
    const { geteuid } = process;
    return geteuid?.() === 0 || readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8').trim() === '0';
  } catch {
    return false;
  }
})();

test.skipIf(!canTrace).for([
  ['one signal', 1],
  ['two signals', 2],
] as const)("ends at %s although one of V8's threads is stopped by a debugger", async ([, signals], context) => {
  const server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1', '-w', '1', '--drain-timeout', '2s']);
  context.onTestFinished(async () => void (server.hasEnded || (await server.kill())));
  const tasks = `/proc/${server.pid}/task`;
  const nameOf = (task: string) => readFileSync(`${tasks}/${task}/comm`, 'utf8').trim();
  const thread = readdirSync(tasks).find((task) => nameOf(task).startsWith('V8Worker'));
  const holder = spawn('python3', ['-c', HOLD, String(thread)], { stdio: ['ignore', 'pipe', 'inherit'] });
  context.onTestFinished(() => void holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  for (let sent = 0; sent < signals; sent++) server.signal('SIGTERM');
  await once(server.child, 'exit');
  context.expect(server.child.exitCode).toBe(0);
});
