/**
 * Root folders of systems that people have: Debian 11 and 12 as debootstrap makes them, and BusyBox alone for each CPU. Made once,
 * in `build/proofs/roots`.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { emulatorFor, runsNatively } from '../../scripts/sandbox/emulation.ts';
import { debianMirror, fetchSource } from '../../scripts/sources/sources.ts';
import { build } from '../../scripts/support/checkout.ts';
import { sha256 } from '../../scripts/support/hash.ts';
import { readTargets, type Target } from '../../scripts/targets/targets.ts';

export const debianSuites = { bullseye: 'Debian 11', bookworm: 'Debian 12' } as const;
export type DebianSuite = keyof typeof debianSuites;

/** Debian's static BusyBox of bookworm, by its name of the CPU. */
const busyboxes = {
  amd64: { size: 928188, sha256: '3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744' },
  i386: { size: 958344, sha256: '725ef9e6fbac4ab79b353165b05005e8c140d6e42177ebbc202ff1e13ded8b7c' },
  arm64: { size: 822236, sha256: '732c9135564fc71337e0e05fb4da4d11e6c28c1834bce3e405e575afef2a52f5' },
  armhf: { size: 815288, sha256: '2f68dbeaebeda49f3cde34ac421d5add85fb1c837ff7c4a4971945340d9d66ff' },
} as const;
export type BusyBoxCpu = keyof typeof busyboxes;

const folder = path.join(build, 'proofs/roots');

/** Called again if it stops half-way or what it is made of changes. */
async function made(name: string, recipe: unknown, make: (partial: string) => Promise<void>): Promise<string> {
  const root = path.join(folder, name);
  const record = `${root}.sha256`;
  const key = sha256(JSON.stringify(recipe));
  if (existsSync(root) && existsSync(record) && readFileSync(record, 'utf8') === key) return root;
  rmSync(record, { force: true });
  const partial = `${root}.partial`;
  for (const old of [root, partial]) rmSync(old, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await make(partial);
  renameSync(partial, root);
  writeFileSync(record, key);
  return root;
}

/** With systemd, curl and rpm. */
export function debianRoot(suite: DebianSuite): Promise<string> {
  const args = ['--variant=minbase', '--include=systemd,curl,rpm'];
  return made(suite, args, async (partial) => {
    ran(['debootstrap', ...args, suite, partial, debianMirror()]);
  });
}

/** What debootstrap unpacks before anything of it runs: dash, dpkg, the C library. And BusyBox, for its wget. */
export async function foreignDebianRoot(cpu: BusyBoxCpu): Promise<Foreign> {
  const target = targetOf(cpu);
  const busybox = await busyboxRoot(cpu);
  const args = ['--foreign', `--arch=${cpu}`, '--variant=minbase'];
  const root = await made(`bullseye-${cpu}`, args, async (partial) => {
    ran(['debootstrap', ...args, 'bullseye', partial, debianMirror()]);
    cpSync(path.join(busybox.root, 'bin/busybox'), path.join(partial, 'bin/busybox'));
    symlinkSync('busybox', path.join(partial, 'bin/wget'));
    // The second stage would make these.
    for (const file of ['status', 'available']) writeFileSync(path.join(partial, 'var/lib/dpkg', file), '');
    mkdirSync(path.join(partial, 'var/lib/dpkg/info'), { recursive: true });
    writeFileSync(path.join(partial, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(path.join(partial, 'etc/group'), 'root:x:0:\n');
  });
  return { root, rule: await ruleOf(target) };
}

export interface Foreign {
  readonly root: string;
  /** For binfmt_misc, where this machine does not run its programs. */
  readonly rule: string | undefined;
}

/**
 * BusyBox is all of it; the loader's name says musl, as on Alpine.
 */
export async function busyboxRoot(cpu: BusyBoxCpu): Promise<Foreign> {
  const target = targetOf(cpu);
  const pin = busyboxes[cpu];
  const root = await made(`busybox-${cpu}`, pin, async (partial) => {
    const deb = await fetchSource({
      ...pin,
      name: `busybox-static-${cpu}`,
      version: '1.35.0-4+deb12u1+b1',
      license: 'GPL-2.0-only',
      use: 'trial',
      debian: `pool/main/b/busybox/busybox-static_1.35.0-4+deb12u1+b1_${cpu}.deb`,
    });
    ran(['dpkg-deb', '--extract', deb, `${partial}/deb`]);
    for (const name of ['bin', 'lib', 'etc', 'root', 'home']) mkdirSync(path.join(partial, name));
    cpSync(path.join(partial, 'deb/bin/busybox'), path.join(partial, 'bin/busybox'));
    rmSync(path.join(partial, 'deb'), { recursive: true });
    const { stdout } = spawnSync('busybox', ['--list'], { encoding: 'utf8' });
    for (const name of stdout.split('\n').filter((each) => each !== '' && each !== 'busybox')) {
      symlinkSync('busybox', path.join(partial, 'bin', name));
    }
    writeFileSync(path.join(partial, `lib/ld-musl-${target.architecture.name}.so.1`), '');
  });
  return { root, rule: await ruleOf(target) };
}

function targetOf(cpu: BusyBoxCpu): Target {
  const target = readTargets().targets.find(({ architecture, libc }) => architecture.debian === cpu && libc === 'musl');
  if (target === undefined) throw new Error(`targets.json must have a static target for ${cpu}, it has none`);
  return target;
}

async function ruleOf(target: Target): Promise<string | undefined> {
  const emulator = await emulatorFor(target);
  return emulator === undefined || runsNatively(target) ? undefined : ruleFor(target.architecture.elf, emulator);
}

/** Linux' Documentation/admin-guide/binfmt-misc.rst. F: the emulator is opened now, so it need not be in the root. */
function ruleFor({ class: bits, machine }: { class: 32 | 64; machine: string }, emulator: string): string {
  const number = { arm: 40, aarch64: 183, i386: 3, x86_64: 62 }[machine] ?? 0;
  const hex = (bytes: readonly number[]): string =>
    bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const head = [0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1, 1];
  const magic = hex([...head, ...Array<number>(9).fill(0), 2, 0, number, 0]);
  // Any ABI; executable or position-independent.
  const mask = hex([...Array<number>(7).fill(0xff), ...Array<number>(9).fill(0), 0xfe, 0xff, 0xff, 0xff]);
  return `:emulated:M::${magic}:${mask}:${emulator}:F`;
}

function ran([file = '', ...args]: readonly string[]): void {
  const { status, stderr, stdout } = spawnSync(file, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${file} must succeed, got ${status}: ${`${stdout}${stderr}`.slice(-500)}`);
}
