/**
 * A machine to try things on: a root folder with processes of its own, and systemd if the proof needs it. Whatever is done there
 * is gone with it. A foreign CPU is emulated by a rule that only this machine has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { dyingWithParent, type Ran, run } from '../../scripts/support/run.ts';

export interface MachineOptions {
  /** `sleep`: nothing runs, and the network is this machine's. */
  readonly init: 'systemd' | 'sleep';
  /** A line of binfmt_misc that says who runs its programs. */
  readonly rule?: string | undefined;
}

export interface RunOptions {
  /** Default: root. */
  readonly user?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export class Machine {
  /** Owned: ended in end(). */
  readonly #unshare: ChildProcess;
  readonly #work: string;
  readonly #pid: number;

  private constructor(child: ChildProcess, work: string, pid: number) {
    this.#unshare = child;
    this.#work = work;
    this.#pid = pid;
  }

  static async start(root: string, { init, rule }: MachineOptions): Promise<Machine> {
    const work = mkdtempSync(path.join(tmpdir(), 'vrypt-machine-'));
    const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'];
    if (init === 'systemd') namespaces.push('--net', '--cgroup');
    // binfmt_misc belongs to a user namespace.
    if (rule !== undefined) namespaces.push('--user');
    const boot = [path.join(import.meta.dirname, 'boot.sh'), root, work, init, ...(rule === undefined ? [] : [rule])];
    // Rights in a new user namespace come with the first program that is started after its users are known.
    const [file, ...args] = dyingWithParent([
      'unshare',
      ...namespaces,
      'sh',
      '-c',
      'read -r _; exec sh "$@"',
      'sh',
      ...boot,
    ]);
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const pid = await firstChild(child.pid ?? 0);
    if (rule !== undefined) {
      for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, '0 0 65536\n');
    }
    child.stdin?.end('\n');
    await Promise.race([
      once(child.stdout as NodeJS.ReadableStream, 'data'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`a machine of ${root} must boot, boot.sh ended with ${code}`);
      }),
    ]);
    const machine = new Machine(child, work, pid);
    if (init === 'systemd') await machine.until(['systemctl', 'is-system-running'], 'it must boot');
    return machine;
  }

  /** Its end, as text. Nothing of this process's environment gets there. */
  run(command: readonly string[], { user = 0, env = {} }: RunOptions = {}): Promise<Ran> {
    const enter = ['--target', String(this.#pid), '--all', '--root', '--wd', '--setuid', String(user)];
    const variables = Object.entries({ HOME: '/root', PATH: '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env });
    const inside = ['env', '-i', ...variables.map((pair) => pair.join('=')), ...command];
    return run(['timeout', '180', 'nsenter', ...enter, '--setgid', String(user), ...inside]);
  }

  /** Its standard output; another exit code than 0 throws. */
  async good(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code !== 0) throw new Error(`${command.join(' ')} must succeed, got ${code}: ${`${stderr}\n${stdout}`.trim()}`);
    return stdout;
  }

  /** Asks again and again for 30 s. */
  async until(command: readonly string[], rule: string): Promise<void> {
    for (const end = Date.now() + 30_000; ; await pause(50)) {
      const { code, stdout, stderr } = await this.run(command);
      if (code === 0) return;
      if (Date.now() > end) throw new Error(`${rule} within 30 s, ${command.join(' ')} says: ${stdout}${stderr}`);
    }
  }

  put(file: string, content: string | Uint8Array, mode = 0o644): void {
    const target = path.join(`/proc/${this.#pid}/root`, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content, { mode });
  }

  async end(): Promise<void> {
    const gone = once(this.#unshare, 'exit');
    this.#unshare.kill('SIGKILL');
    await gone;
    rmdirSync(this.#work);
  }
}

/** unshare's: the first process of the machine. */
async function firstChild(pid: number): Promise<number> {
  for (;;) {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    if (child !== undefined) return Number(child);
    await pause(5);
  }
}
