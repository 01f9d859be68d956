/** The program's entry: argv and environment in, exit code out. */
import { writeSync } from 'node:fs';
import { run } from './cli/run.ts';

/** Stamped in when the program is bundled. */
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

const version = typeof BUILD_VERSION === 'string' ? BUILD_VERSION : 'source';
const commit = typeof BUILD_COMMIT === 'string' ? BUILD_COMMIT : 'not bundled';

// Warnings about how we use Node are for us, not for whoever runs the server with NODE_PENDING_DEPRECATION set.
process.noDeprecation = true;

void run({
  args: process.argv.slice(2),
  environment: process.env,
  version,
  commit,
  print: (text) => write(1, text),
  printError: (text) => write(2, text),
}).then((code) => process.exit(code));

/** Straight to the descriptor: process.stdout costs 3 ms at the start. A reader who has gone away is no reason to end. */
function write(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {}
}
