/**
 * One run of the build for one platform: its steps in order, each skipped when nothing it depends on has changed,
 * with progress as plain lines and everything a tool prints in a log.
 */
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { $, type ProcessPromise } from 'zx';
import { LOGS, type Places, placesOf, RECIPE } from './paths.ts';
import type { Platform } from './platforms.ts';
import { hashOf } from './sources.ts';

type Value = string | number | readonly string[];
export type Run = (pieces: TemplateStringsArray, ...values: Value[]) => ProcessPromise;

export interface Job {
  readonly platform: Platform;
  readonly places: Places;
  /** Runs a command for the target: its compilers come first in PATH; what it prints goes into the step's log. */
  readonly run: Run;
  readonly jobs: number;
}

export interface Step {
  /** Also the name of its script: an edit of `<name>.ts` makes the step, and all that follow, anew. */
  readonly name: string;
  /** What else decides the result, besides the steps before. */
  readonly inputs: readonly string[];
  readonly make: (job: Job) => Promise<void>;
}

export async function runSteps(platform: Platform, steps: readonly Step[], jobs: number): Promise<void> {
  const places = placesOf(platform);
  await mkdir(places.stamps, { recursive: true });
  await mkdir(LOGS, { recursive: true });
  let chain = '';
  for (const [index, step] of steps.entries()) {
    chain = createHash('sha256')
      .update(JSON.stringify([chain, step.name, hashOf(join(RECIPE, `${step.name}.ts`)), step.inputs]))
      .digest('hex');
    const stamp = join(places.stamps, step.name);
    const label = `${platform.triple}: step ${index + 1} of ${steps.length}, ${step.name}`;
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === chain) {
      console.log(`${label}: up to date`);
      continue;
    }
    const log = join(LOGS, `${platform.triple}.${step.name}.log`);
    console.log(`${label} …`);
    const started = Date.now();
    try {
      await step.make({ platform, places, jobs, run: shellFor(platform, log) });
    } catch (error) {
      throw new Error(`${label}: failed, see ${log}`, { cause: error });
    }
    await writeFile(stamp, chain);
    console.log(`${label}: ${((Date.now() - started) / 60_000).toFixed(1)} min`);
  }
}

function shellFor(platform: Platform, log: string): Run {
  const { bin } = placesOf(platform);
  const output = openSync(log, 'a');
  const path = [bin, dirname(process.execPath), '/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const shell = $({
    stdio: ['ignore', output, output],
    env: { HOME: process.env['HOME'], PATH: path.join(':'), LC_ALL: 'C', TZ: 'UTC', SOURCE_DATE_EPOCH: '0' },
  });
  // A command may be written over several lines; the shell gets one.
  return (pieces, ...values) => {
    const line = pieces.map((piece) => piece.replace(/\s*\n\s*/g, ' '));
    return shell(Object.assign(line, { raw: line }) as unknown as TemplateStringsArray, ...(values as string[]));
  };
}
