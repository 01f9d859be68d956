/** The command `respond`: a server that answers every request with the same response. */
import { COMMANDS, type Command } from './commands.ts';
import type { TypedOptions } from './options.ts';
import { readBy } from './read-by.ts';
import { OPTION_ROWS, PORT, resolveSettings } from './settings.ts';
import { startServer } from './start-server.ts';
import { UsageError } from './usage-error.ts';

const NOTES = `Durations take ms, s, m or h. Sizes are bytes, or take KB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024).
Each option can also be set in the environment: --idle-timeout as VRYPT_IDLE_TIMEOUT, a switch as 1 or 0. What is typed wins.

Commands:
${COMMANDS.map(({ name, positional, summary }) => `  ${`${name} [${positional}]`.padEnd(20)}${summary}`).join('\n')}

Examples:
  vrypt-server 3000                  every address, port 3000, every core
  vrypt-server -H ::1 -p 0           this machine only, any free port
  vrypt-server 3000 --share          next to a running one, to replace it
`;

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
  const port = readBy(PORT, 'port', positional, hintFor(positional));
  for (const text of options['port'] ?? []) {
    if (readBy(PORT, '--port', text) !== port) {
      throw new UsageError(`--port and the port given without a name must not differ, got ${text} and ${positional}`);
    }
  }
  return { ...options, port: [positional] };
}

/** For what may be a command that is spelled wrong. */
function hintFor(text: string): string {
  if (!/^[a-z-]+$/i.test(text)) return '';
  const names = COMMANDS.map(({ name }) => name);
  const meant = names.find((name) => distance(name, text.toLowerCase()) <= MOST_SLIPS);
  return meant === undefined ? `; the commands are ${names.join(', ')}` : `; did you mean ${meant}?`;
}

/** Of a word that is meant: letters that are missing, too many or wrong; two that are swapped count twice. */
const MOST_SLIPS = 2;

/** Levenshtein's. */
function distance(one: string, two: string): number {
  let row = Array.from({ length: two.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < two.length; j++) {
      const replaced = (row[j] as number) + (letter === two[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[two.length] as number;
}
