/** The command `respond`: a server that answers every request with the same response. */
import { COMMANDS, type Command } from './commands.ts';
import { hintFor } from './first-word.ts';
import type { TypedOptions } from './options.ts';
import { readBy } from './read-by.ts';
import { OPTION_ROWS, PORT, resolveSettings } from './settings.ts';
import { startServer } from './start-server.ts';
import { UsageError } from './usage-error.ts';

const NOTES = `Durations take ms, s, m or h. Sizes are bytes, or take KB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024).
Each option can also be set in the environment: --idle-timeout as VRYPT_IDLE_TIMEOUT, a switch as 1 or 0. What is typed wins.

Commands:
${COMMANDS.map(({ name, positional, summary }) => `  ${`${name} [${positional}]`.padEnd(28)}${summary}`).join('\n')}

Examples:
  vrypt-server 3000                  every address, port 3000, every core
  vrypt-server -H ::1 -p 0           this machine only, any free port
  vrypt-server 3000 --share          next to a running one, to replace it
`;

const NAMES = COMMANDS.map(({ name }) => name);

export const respond: Command = {
  description: 'Answers every HTTP request with the same response (by default: Vrypt), on every core.',
  rows: OPTION_ROWS,
  positionalHelp: 'the same as --port',
  notes: NOTES,
  run: async ({ options, positional }, io) =>
    startServer(resolveSettings(withPort(options, positional), io.environment), io),
};

/** The port given without a name, as if it had been typed with --port. */
export function withPort(options: TypedOptions, positional: string | undefined): TypedOptions {
  if (positional === undefined) return options;
  const port = readBy(PORT, 'port', positional, hintFor(positional, NAMES));
  for (const text of options['port'] ?? []) {
    if (readBy(PORT, '--port', text) !== port) {
      throw new UsageError(`--port and the port given without a name must not differ, got ${text} and ${positional}`);
    }
  }
  return { ...options, port: [positional] };
}
