/** The program's entry: argv and environment in, exit code out. */
import { writeSync } from 'node:fs';
import { endProcess, requestedEnd } from './cli/end-process.ts';
import type { BuildStamp } from './cli/process-io.ts';
import { nameProcess } from './cli/process-name.ts';
import { run } from './cli/run.ts';
import { watchSignals } from './cli/signals.ts';
import { runWholeProgram } from './cli/whole-program.ts';
import { isWorkerProcess, runWorkerProcess } from './cli/worker-process.ts';

/** Defined when the program is bundled (`scripts/steps/bundle.ts`). */
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;
declare const BUILD_TARGETS: BuildStamp['targets'] | undefined;
declare const IS_PLAIN: true | undefined;

const build: BuildStamp = {
  version: typeof BUILD_VERSION === 'string' ? BUILD_VERSION : 'source',
  commit: typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'not bundled',
  targets: typeof BUILD_TARGETS === 'object' ? BUILD_TARGETS : {},
};

const end = requestedEnd(process.argv);
if (end !== null) process.exit(end);

// Deprecations of Node are ours to fix; a user who sets NODE_PENDING_DEPRECATION cannot act on them.
process.noDeprecation = true;

if (typeof IS_PLAIN === 'undefined' || !runWholeProgram(process.argv)) start();

function start(): void {
  if (isWorkerProcess(process.argv)) void runWorkerProcess();
  else startForPerson();
}

function startForPerson(): void {
  watchSignals();
  nameProcess();
  void run({
    args: process.argv.slice(2),
    environment: process.env,
    build,
    print: (text) => write(1, text),
    printError: (text) => write(2, text),
  }).then(endProcess);
}

/** Writes straight to the descriptor: opening process.stdout costs 3 ms at the start. */
function write(descriptor: number, text: string): string | null {
  const bytes = Buffer.from(text);
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'ERROR';
  }
}
