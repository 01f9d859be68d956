/**
 * The parts of binding.cjs that are seen from outside: how the process ends, what it inherited, what it sends.
 */
import { cp, rm } from 'node:fs/promises';
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

  const options = ['--ignore-signal=HUP,USR2', '--block-signal=ALRM'];
  const inherited = await $({
    nothrow: true,
    quiet: true,
  })`env ${options} ${root.command('node', [root.pathOf('binding.cjs'), 'signals'])}`;
  const { ignored = [], blocked = [] } = JSON.parse(inherited.stdout || '{}');
  const holds = [1, 12].every((signal) => ignored.includes(signal)) && blocked.includes(14) && !ignored.includes(10);
  expect('knows the signals that its parent ignored and blocked', holds, inherited.text());

  const death = await part('death');
  expect('a child ends with its parent', death.stdout === 'up\n', death.text());

  const path = join(root.folder, 'notify');
  await rm(path, { force: true });
  const receiver = $({ quiet: true, timeout: '60s' })`python3 -c ${receiverCode} ${path}`;
  for await (const line of receiver) if (line === 'listening') break;
  const sent = await part('notify', root.pathOf('notify'));
  const received = sent.stdout === '0\n' ? (await receiver).stdout : sent.text();
  expect('sends a datagram to NOTIFY_SOCKET', received.includes('READY=1\nSTATUS=up'), received);
}
