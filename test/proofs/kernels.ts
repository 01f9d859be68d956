/**
 * The oldest kernels that Debian still serves, and one with pages of 16 KiB, booted by QEMU with nothing but BusyBox and an
 * executable in memory. The server is asked from inside, by BusyBox' wget.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readElf } from '../../scripts/formats/elf.ts';
import { program } from '../../scripts/program/program.ts';
import { putOldestLibc } from '../../scripts/sandbox/oldest-libc.ts';
import { fetchSource } from '../../scripts/sources/sources.ts';
import { dyingWithParent, runWell } from '../../scripts/support/run.ts';
import { archiveFolder } from '../../scripts/targets/artifacts.ts';
import { isStatic } from '../../scripts/targets/target-facts.ts';
import { readTargets, type Target } from '../../scripts/targets/targets.ts';
import { mustBe, mustMatch, type Proof } from './proof.ts';
import { readManifest, released } from './released.ts';
import { type BusyBoxCpu, busyboxRoot } from './roots.ts';

interface Kernel {
  /** As `uname -r` says it. */
  readonly release: string;
  readonly version: string;
  readonly debian: string;
  readonly fallbackUrl: string;
  readonly size: number;
  readonly sha256: string;
  /** QEMU and a CPU that has what we ask for and little more. */
  readonly qemu: readonly [string, ...string[]];
  readonly console: string;
  readonly pageKiB: 4 | 16;
  /** Which executables it runs, by Debian's names of CPUs. */
  readonly runs: readonly BusyBoxCpu[];
}

const virt = ['-machine', 'virt,gic-version=2', '-cpu'] as const;
const bullseye = {
  version: '5.10.218-1',
  fallbackUrl: 'https://archive.debian.org/debian',
  pageKiB: 4,
} as const;

export const kernels: readonly Kernel[] = [
  {
    ...bullseye,
    release: '5.10.0-30-amd64',
    debian: 'pool/main/l/linux-signed-amd64/linux-image-5.10.0-30-amd64_5.10.218-1_amd64.deb',
    size: 55688836,
    sha256: 'b9f8df30f94a8fcd0f42e55771c2d3d699ea36a8084e2ade7303d6c692f20f63',
    // The first x86_64: SSE2 and SSE3.
    qemu: ['qemu-system-x86_64', '-cpu', 'qemu64'],
    console: 'ttyS0',
    runs: ['amd64', 'i386'],
  },
  {
    ...bullseye,
    release: '5.10.0-30-686',
    debian: 'pool/main/l/linux-signed-i386/linux-image-5.10.0-30-686_5.10.218-1_i386.deb',
    size: 46375048,
    sha256: '29be9d7ebf1f79048298218f3dc5c746657df07538bf5b7d322c85d80576858d',
    qemu: ['qemu-system-i386', '-cpu', 'coreduo'],
    console: 'ttyS0',
    runs: ['i386'],
  },
  {
    ...bullseye,
    release: '5.10.0-30-arm64',
    debian: 'pool/main/l/linux-signed-arm64/linux-image-5.10.0-30-arm64_5.10.218-1_arm64.deb',
    size: 45312456,
    sha256: '969bc05b253f0f85b74c3c9541125f1b7f6499977e528e61e413aa2fc6c4a221',
    // The first ARMv8: no atomics of 8.1.
    qemu: ['qemu-system-aarch64', ...virt, 'cortex-a53'],
    console: 'ttyAMA0',
    runs: ['arm64'],
  },
  {
    ...bullseye,
    release: '5.10.0-30-armmp',
    debian: 'pool/main/l/linux/linux-image-5.10.0-30-armmp_5.10.218-1_armhf.deb',
    size: 37129568,
    sha256: 'c9c76eb856fd0af831e90e5145fc956a5334627f766c68f28c822701ceabb0c8',
    qemu: ['qemu-system-arm', ...virt, 'cortex-a7'],
    console: 'ttyAMA0',
    runs: ['armhf'],
  },
  {
    release: '6.12.107+deb13-arm64-16k',
    version: '6.12.107-1',
    debian: 'pool/main/l/linux-signed-arm64/linux-image-6.12.107+deb13-arm64-16k_6.12.107-1_arm64.deb',
    fallbackUrl: 'https://snapshot.debian.org/archive/debian/20260915T000000Z',
    size: 92043616,
    sha256: '98e22a0bb544857e39c17270dffe398219f278f3ff4424600d12c8656d862397',
    // The first of Arm's own with pages of 16 KiB; it runs 32-bit programs too, and Debian's kernel lets it.
    qemu: ['qemu-system-aarch64', ...virt, 'cortex-a76'],
    console: 'ttyAMA0',
    pageKiB: 16,
    runs: ['arm64', 'armhf'],
  },
];

/** Only what the file name of a runtime leads to is tried, instead of what was released. */
const runtime = process.env['PROOF_RUNTIME'];

export const oldKernels: Proof = {
  title: 'kernels of Debian 11, and one with pages of 16 KiB, with nothing but BusyBox and the executable',
  needs: {
    busybox: 'busybox',
    'qemu-system-x86_64': 'qemu-system-x86',
    'qemu-system-i386': 'qemu-system-x86',
    'qemu-system-aarch64': 'qemu-system-arm',
    'qemu-system-arm': 'qemu-system-arm',
  },
  asRoot: true,
  async run(check) {
    for (const target of chosen()) {
      const cpu = cpuOf(target);
      for (const kernel of kernels.filter(({ runs }) => runs.includes(cpu))) {
        const { release, pageKiB } = kernel;
        await check(`${target.triple} serves on ${release} with pages of ${pageKiB} KiB`, async () => {
          const said = await boot(kernel, target);
          mustBe('the kernel', /^kernel (.*)$/m.exec(said)?.[1], release);
          mustBe('the pages', /^pages +(\d+) kB$/m.exec(said)?.[1], String(pageKiB));
          mustMatch('the answer', said, runtime === undefined ? /^Vrypt$/m : /^v\d+\.\d+\.\d+ \w+$/m);
          mustBe('the exit code after SIGTERM', /^ended (\d+)$/m.exec(said)?.[1], runtime === undefined ? '0' : '143');
          return /^took \d+ s$/m.exec(said)?.[0];
        });
      }
    }
  },
};

function chosen(): readonly Target[] {
  const { targets } = readTargets();
  if (runtime === undefined) {
    const { targets: made } = readManifest();
    return targets.filter(({ triple }) => made.some(({ target }) => target === triple));
  }
  const { machine, interpreter } = readElf(readFileSync(runtime));
  return targets.filter(
    ({ architecture, ...row }) => architecture.elf.machine === machine && row.interpreter === interpreter,
  );
}

function cpuOf({ architecture }: Target): BusyBoxCpu {
  return architecture.debian as BusyBoxCpu;
}

/** A program for a runtime alone: it answers with its version, after code that V8 compiles. */
const server = `let n = 0; for (let i = 0; i < 3e6; i++) n = (n * 31 + i) | 0;
require('node:http').createServer((_, answer) => answer.end(process.version + ' ' + process.arch + '\\n'))
  .listen(8080, () => console.log('listening on port 8080', n));`;

/** What the machine says on its serial line, up to its end. */
async function boot(kernel: Kernel, target: Target): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-kernel-'));
  try {
    const deb = await fetchSource({
      ...kernel,
      name: `linux-${kernel.release}`,
      license: 'GPL-2.0-only',
      use: 'trial',
      fallbackUrl: `${kernel.fallbackUrl}/${kernel.debian}`,
    });
    await runWell(['dpkg-deb', '--extract', deb, path.join(folder, 'kernel')]);
    const root = path.join(folder, 'root');
    await fill(root, target);
    await runWell(['sh', '-c', 'cd "$1" && find . | busybox cpio -o -H newc >"$2"', 'sh', root, `${root}.cpio`]);
    const [file, ...args] = kernel.qemu;
    return await untilEnd([
      file,
      ...args,
      ...['-m', '1024', '-smp', '2', '-nographic', '-no-reboot', '-nic', 'none'],
      ...['-kernel', path.join(folder, `kernel/boot/vmlinuz-${kernel.release}`), '-initrd', `${root}.cpio`],
      ...['-append', `console=${kernel.console} quiet panic=-1`],
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(root: string, target: Target): Promise<void> {
  const { root: busybox } = await busyboxRoot(cpuOf(target));
  cpSync(busybox, root, { recursive: true, verbatimSymlinks: true });
  if (!isStatic(target)) await putOldestLibc(target, root);
  for (const name of ['proc', 'sys', 'dev']) mkdirSync(path.join(root, name), { recursive: true });
  if (runtime === undefined) {
    const member = `${archiveFolder(target)}/${program.name}`;
    await runWell(['tar', '-xzf', released('tar.gz', target.triple), '-C', root, '--strip-components=1', member]);
  } else {
    cpSync(runtime, path.join(root, program.name));
    writeFileSync(path.join(root, 'server.js'), server);
  }
  const command = `/${program.name} ${runtime === undefined ? '8080' : '/server.js'}`;
  writeFileSync(path.join(root, 'init'), initScript(command), { mode: 0o755 });
  if (!existsSync(path.join(root, program.name))) throw new Error(`${program.name} must be in the archive, it is not`);
}

/** QEMU takes minutes where a CPU takes seconds. */
function initScript(command: string): string {
  return `#!/bin/sh
mount -t proc proc /proc && mount -t sysfs sys /sys && mount -t devtmpfs dev /dev
ip link set lo up
echo
echo "kernel $(uname -r)"
echo "pages $(grep -m1 KernelPageSize /proc/self/smaps | cut -d: -f2)"
start=$(date +%s)
${command} >/log 2>&1 &
server=$!
for _ in $(seq 600); do
  if grep -q listening /log; then break; fi
  [ -d "/proc/$server" ] || break
  sleep 1
done
cat /log
wget -qO- http://127.0.0.1:8080/
echo
kill -TERM "$server"
wait "$server"
echo "ended $?"
echo "took $(($(date +%s) - start)) s"
poweroff -f
`;
}

function untilEnd(command: readonly [string, ...string[]]): Promise<string> {
  const [file, ...args] = dyingWithParent(['timeout', '900', ...command]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(said.replaceAll('\r', ''));
      else reject(new Error(`${command[0]} must end with 0, got ${code}: ${said.slice(-500)}`));
    });
  });
}
