/**
 * The QEMU that runs the programs of an architecture which this machine does not run itself: the installed one (apt brings
 * it), or for i686 a pinned one that is unpacked and not installed. QEMU before 8.0 breaks every i686 program that has threads
 * and handles a signal, and Debian 12 has 7.2: runtimes/README.md, "i686 under QEMU before 8.0".
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { findSource, isUnpacked, unpackSource } from '../sources/sources.ts';
import { once } from '../support/once.ts';
import { say } from '../support/progress.ts';
import { need, tools } from '../support/system-tools.ts';
import type { Machine } from '../targets/architectures.ts';
import { emulatorTool } from '../targets/target-facts.ts';
import type { Target } from '../targets/targets.ts';

export type Qemu = 'installed' | 'pinned';

/** `version` is that of the installed emulator; undefined if there is none. */
export function chooseQemu(machine: Machine, version: string | undefined): Qemu {
  if (machine !== 'i386') return 'installed';
  return Number.parseInt(version ?? '0', 10) >= oldestForI386 ? 'installed' : 'pinned';
}

/** Asked once per process and architecture. */
export function qemuFor({ architecture }: Target): Qemu {
  let answer = answers.get(architecture.name);
  if (answer === undefined) {
    answer = chooseQemu(architecture.elf.machine, qemuVersion(architecture.emulator));
    answers.set(architecture.name, answer);
  }
  return answer;
}

/** Its path; installs or fetches it if it is missing. */
export function needQemu(target: Target): Promise<string> {
  if (qemuFor(target) === 'installed') return need(emulatorTool(target));
  return once('pinned QEMU', async () => {
    const source = pinnedQemu();
    if (!isUnpacked(source)) {
      await need(tools.curl);
      say(`${target.triple} needs QEMU ${oldestForI386}.0 or newer on this machine: fetching ${source.version}`);
    }
    return path.join(await unpackSource(source), 'usr/bin/qemu-i386');
  });
}

export const pinnedQemu = () => findSource('qemu-user');

/** undefined for what is not there. */
export function qemuVersion(emulator: string): string | undefined {
  const { stdout } = spawnSync(emulator, ['--version'], { encoding: 'utf8' });
  return /\bversion (\d[\w.]*)/.exec(stdout ?? '')?.[1];
}

const oldestForI386 = 8;
const answers = new Map<string, Qemu>();
