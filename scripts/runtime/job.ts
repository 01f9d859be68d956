/**
 * The steps of one runtime, in order: each runs again when anything that it depends on has changed, or when a step before
 * it has run. Everything that a tool prints goes to the step's log.
 */
import { openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { $, ProcessOutput, type ProcessPromise } from 'zx';
import { shown } from '../support/checkout.ts';
import { Failure } from '../support/errors.ts';
import { say } from '../support/progress.ts';
import { runStep } from '../support/step.ts';
import type { Target } from '../targets/targets.ts';
import { logs, type Places, placesOf } from './paths.ts';

type Value = string | number | readonly string[];
export type Run = (pieces: TemplateStringsArray, ...values: Value[]) => ProcessPromise;

export interface Job {
  readonly target: Target;
  readonly places: Places;
  /** Runs a command for the target: its compilers come first in PATH, and the step's log takes the output. */
  readonly run: Run;
  readonly jobs: number;
}

export interface Step {
  readonly name: string;
  /** The file of its code. */
  readonly module: string;
  /** What else decides the result, besides its code and the steps before. */
  readonly inputs: readonly string[];
  readonly make: (job: Job) => Promise<void>;
}

export async function runSteps(target: Target, steps: readonly Step[], jobs: number): Promise<void> {
  const places = placesOf(target);
  await mkdir(logs, { recursive: true });
  let previous = '';
  for (const { name, module, inputs, make } of steps) {
    const log = path.join(logs, `${target.triple}.${name}.log`);
    const { key } = await runStep({
      step: name,
      target: target.triple,
      inputs: { previous, own: JSON.stringify(inputs) },
      module,
      outputs: [],
      // Beside what the steps make, so that the stamps are gone when it is.
      stamps: places.stamps,
      make: () => {
        // Some take half an hour.
        say(`${name} ${target.triple}: running, output in ${shown(log)}`);
        return make({ target, places, jobs, run: shellFor(places, log) }).catch((cause: unknown) => {
          // A tool that fails has said why in the log.
          const detail = cause instanceof ProcessOutput ? {} : { cause };
          throw new Failure(`${name} ${target.triple} failed, its output is in ${shown(log)}`, detail);
        });
      },
    });
    previous = key;
  }
}

function shellFor({ bin }: Places, log: string): Run {
  const output = openSync(log, 'a');
  const folders = [bin, path.dirname(process.execPath), '/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const shell = $({
    stdio: ['ignore', output, output],
    env: { HOME: process.env['HOME'], PATH: folders.join(':'), LC_ALL: 'C', TZ: 'UTC', SOURCE_DATE_EPOCH: '0' },
  });
  // A command may be written over several lines; the shell gets one.
  return (pieces, ...values) => {
    const line = pieces.map((piece) => piece.replace(/\s*\n\s*/g, ' '));
    return shell(Object.assign(line, { raw: line }) as unknown as TemplateStringsArray, ...(values as string[]));
  };
}
