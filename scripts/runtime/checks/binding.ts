/**
 * The parts of binding.cjs that are seen from outside: how the process ends, what it inherited, what it sends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { $ } from 'zx';
import { type Expect, expectAll } from './expect.ts';
import type { Root } from './root.ts';

/** Prints what a Unix datagram socket gets first; its file appears when it listens. */
const receiverCode = `import socket, sys
socket_ = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
socket_.bind(sys.argv[1])
print('listening', flush=True)
print(socket_.recv(1000).decode(), flush=True)`;

export async function checkBinding(root: Root, expect: Expect): Promise<void> {
  await cp(join(import.meta.dirname, 'binding.cjs'), join(root.folder, 'binding.cjs'));
  const part = (...args: string[]) => root.run('node', [root.pathOf('binding.cjs'), ...args]);
  expectAll(await part(), 'the linked binding runs', expect);

  const exit = await part('exit');
  expect('exits at once while the thread pool is busy', exit.exitCode === 7, `exit code ${exit.exitCode}`);

  const overdue = await part('overdue');
  expect('ends when it is overdue though JavaScript does not', overdue.exitCode === 9, overdue.text());

  const options = ['--ignore-signal=HUP,USR2', '--block-signal=ALRM'];
  const inherited = await $({
    nothrow: true,
    quiet: true,
  })`env ${options} ${root.command('node', [root.pathOf('binding.cjs'), 'signals'])}`;
  const { ignored = [], blocked = [] } = JSON.parse(inherited.stdout || '{}');
  const holds = [1, 12].every((signal) => ignored.includes(signal)) && blocked.includes(14) && !ignored.includes(10);
  expect('knows the signals that its parent ignored and blocked', holds, inherited.text());

  const orphan = root.command('node', [root.pathOf('binding.cjs'), 'orphan']);
  // Inside, there is no chroot, but the emulator, without which a kernel refuses a foreign executable.
  const death = await part('death', ...(orphan[0] === 'chroot' ? orphan.slice(2) : orphan));
  expect('a child ends with its parent', death.stdout === 'up\n', death.text());

  const path = join(root.folder, 'notify');
  await rm(path, { force: true });
  const receiver = $({ nothrow: true, quiet: true, timeout: '60s' })`python3 -c ${receiverCode} ${path}`;
  const received: string[] = [];
  // To its end: leaving the loop would close the receiver's standard output.
  for await (const line of receiver) {
    received.push(line);
    if (line !== 'listening') continue;
    const sent = await part('notify', root.pathOf('notify'));
    if (sent.stdout === '0\n') continue;
    received.push(sent.text());
    receiver.kill();
  }
  expect('sends a datagram to NOTIFY_SOCKET', received.slice(1).join() === 'READY=1,STATUS=up', received);
}

/** Natively only: QEMU has handlers of its own. */
export async function checkFirstProcess(root: Root, expect: Expect): Promise<void> {
  // No namespace without root.
  if (process.getuid?.() !== 0) return;
  const command = root.command('node', [root.pathOf('binding.cjs'), 'early']);
  const child = spawn('unshare', ['--pid', '--fork', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child.stdout, 'data');
  const first = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  process.kill(Number(first), 'SIGTERM');
  await ended;
  expect('as PID 1 it loses no signal that comes before its handler', output === 'up\nkept\n', output);
}
