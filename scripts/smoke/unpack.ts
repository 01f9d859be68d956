/**
 * Unpacks an archive as its README says and prepares the product for being run.
 * Owns the folders `build/smoke/<triple>/`.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { program } from '../program/program.ts';
import { runsNatively } from '../sandbox/emulation.ts';
import { makeSandbox } from '../sandbox/sandbox.ts';
import { Failure } from '../support/errors.ts';
import { runWell } from '../support/run.ts';
import { archiveEntries, archiveFolder } from '../targets/artifacts.ts';
import { builtPath } from '../targets/target-facts.ts';
import type { Target } from '../targets/targets.ts';
import type { Tried } from './session.ts';
import { setTraps } from './traps.ts';

export interface Product extends Tried {
  /** How it is run, in words. */
  readonly how: string;
}

export async function unpack(target: Target, archive: string, hasAddons: boolean): Promise<Product> {
  const parent = path.dirname(builtPath('smoke', target, 'x'));
  await rm(parent, { recursive: true, force: true });
  await mkdir(parent, { recursive: true });
  await runWell(['tar', '-xzf', archive], { cwd: parent });
  const top = archiveFolder(target);
  mustHold('at its top', await readdir(parent), [top]);
  const folder = path.join(parent, top);
  mustHold(`in ${top}/`, await readdir(folder), archiveEntries);
  const sandbox = await makeSandbox(target, folder, { hasAddons, hasHosts: program.oneFile === undefined });
  const traps = await setTraps(folder, sandbox.inside);
  const isEmulated = !runsNatively(target);
  const timeoutMs = isEmulated ? 60_000 : 10_000;
  return { command: sandbox.command(program.name, []), cwd: folder, how: sandbox.how, traps, timeoutMs, isEmulated };
}

function mustHold(where: string, found: readonly string[], wanted: readonly string[]): void {
  if ([...found].sort().join() === [...wanted].sort().join()) return;
  throw new Failure(`the archive must contain ${wanted.join(', ')} ${where}, got ${found.join(', ')}`);
}
