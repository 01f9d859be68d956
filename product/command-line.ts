/** The command line of vrypt-server as the toolchain's manual page and completions need it, read from the option rows. */
import type { CommandLine } from '../scripts/packaging/command-line.ts';
import { COMMANDS } from '../src/cli/commands.ts';

export const commandLine: CommandLine = {
  summary: 'HTTP server in one file',
  description: [
    'Answers every HTTP request, by default with the text Vrypt, on every core. It speaks HTTP/1.0 and HTTP/1.1, needs no other file and writes none.',
  ],
  commands: await Promise.all(
    COMMANDS.map(async ({ name, positional, summary, load }) => {
      const { description, positionalHelp, notes, rows } = await load();
      const options = rows.map(({ name, short, rule, default: standard, help }) => ({
        name,
        short,
        value: rule?.placeholder,
        default: standard,
        help,
      }));
      return { name, summary, description, positional, positionalHelp, notes, options };
    }),
  ),
  exitCodes: [
    { code: '0', meaning: 'it ended as it was asked to' },
    { code: '1', meaning: 'it could not start, or what was asked for failed' },
    { code: '2', meaning: 'a wrong option or value' },
  ],
  signals: [
    'SIGTERM, SIGINT, SIGQUIT and SIGHUP end it: what has been accepted is answered, idle connections are closed. A second one ends it at once.',
  ],
  variablePrefix: 'VRYPT_',
};
