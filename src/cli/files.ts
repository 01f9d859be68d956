/** The command `files`: serves a directory. Makes the configuration that a file would hold. */
import { text } from '../rules/rules.ts';
import type { ConfigInput } from '../web/config/schema.ts';
import type { Command } from './commands.ts';
import { SERVER_ROWS, serveInput, serverInput } from './one-liner.ts';
import { type OptionRow, resolveOptions } from './options.ts';
import { readBy } from './read-by.ts';
import { PORT } from './settings.ts';

const ROWS = [
  ...SERVER_ROWS,
  {
    name: 'fallback',
    rule: text('file', 'the path of a file in the directory'),
    help: 'for single-page applications: the file that is served when no other matches, such as index.html',
  },
  { name: 'listing', help: 'list directories that have no index.html' },
  { name: 'dotfiles', help: 'serve names that start with a dot' },
  {
    name: 'cache-control',
    rule: text('value', 'a value of Cache-Control'),
    help: 'Cache-Control of every file, such as max-age=3600',
  },
] as const satisfies readonly OptionRow[];

export const files: Command = {
  description: 'Serves the files of a directory: ranges, conditional requests, compression, on every core.',
  rows: ROWS,
  positionalHelp: 'the directory (default: the current one), and the same as --port',
  notes: `Files that start with a dot are not served, nor is anything outside of the directory. HTML is revalidated by browsers.

Examples:
  vrypt-server files ./public 8080
  vrypt-server files dist --fallback index.html     a single-page application
  vrypt-server files . --print                      the same as a configuration file
`,
  run: async ({ options, positionals }, io) => {
    const port = positionals[1];
    if (port !== undefined) readBy(PORT, 'port', port);
    const typed = port === undefined ? options : { ...options, port: [port] };
    const { values } = resolveOptions(ROWS, typed, io.environment);
    const input: ConfigInput = {
      server: serverInput(values),
      sites: [
        {
          files: positionals[0] ?? '.',
          ...(values.fallback === undefined ? {} : { fallback: values.fallback }),
          ...(values['cache-control'] === undefined ? {} : { cache_control: values['cache-control'] }),
          ...(values.listing ? { listing: true } : {}),
          ...(values.dotfiles ? { dotfiles: true } : {}),
        },
      ],
    };
    return serveInput(input, values, io);
  },
};
