/** The program's entry: argv and environment in, exit code out. */
import { run } from './cli/run.ts';

/** Stamped in when the program is bundled. */
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

const version =
  typeof BUILD_VERSION === 'string' && typeof BUILD_COMMIT === 'string'
    ? `${BUILD_VERSION} (${BUILD_COMMIT})`
    : '0.1.0 (source)';

// A reader who goes away is no reason to end.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

void run({
  args: process.argv.slice(2),
  environment: process.env,
  version,
  print: (text) => void process.stdout.write(text),
  printError: (text) => void process.stderr.write(text),
}).then((code) => process.exit(code));
