/** The command `check`: everything that is wrong with a configuration file. */
import { loadAll } from '../tls/certificate-files.ts';
import { CertificateError } from '../tls/load-certificate.ts';
import type { CertificateFiles } from '../tls/managed.ts';
import type { Command } from './commands.ts';
import { readConfigFile } from './config-file.ts';
import { resolveOptions } from './options.ts';
import { ExitCode, printResult } from './process-io.ts';
import { CONFIG_ROW, configFile, QUIET_ROW } from './web.ts';

const ROWS = [CONFIG_ROW, QUIET_ROW] as const;

export const checkConfig: Command = {
  description:
    'Checks a configuration file. Exit code 0 if it is good, otherwise 1 and every fault on a line of its own.',
  rows: ROWS,
  positionalHelp: 'the same as --config',
  notes: 'A line is file:line: key, rule, value. Nothing is started, and no connection is made.\n',
  run: async ({ options, positional }, io) => {
    const { values } = resolveOptions(ROWS, options, io.environment);
    const file = configFile(values.config, options['config'] !== undefined, positional);
    const read = await readConfigFile(file, io.environment, judgeCertificate);
    if (read.kind === 'bad') {
      io.printError(`${read.messages.join('\n')}\n`);
      return ExitCode.failed;
    }
    const { sites, backends, listeners } = read.config;
    const parts = [
      count(listeners.length, 'listener'),
      count(sites.length, 'site'),
      count(Object.keys(backends).length, 'backend'),
    ];
    return values.quiet ? ExitCode.ok : printResult(io, `${file}: good, ${parts.join(', ')}\n`);
  },
};

/** What a start would refuse in it. */
function judgeCertificate(files: CertificateFiles): string | null {
  try {
    loadAll([files]);
    return null;
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    return error.message;
  }
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
