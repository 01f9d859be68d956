/** The command `proxy`: passes requests on to one or more upstreams. Makes the configuration that a file would hold. */
import { duration, text } from '../rules/rules.ts';
import type { ConfigInput } from '../web/config/schema.ts';
import type { Command } from './commands.ts';
import { SERVER_ROWS, serveInput, serverInput } from './one-liner.ts';
import { type OptionRow, resolveOptions } from './options.ts';
import { readBy } from './read-by.ts';
import { PORT } from './settings.ts';
import { UsageError } from './usage-error.ts';

const ROWS = [
  ...SERVER_ROWS,
  {
    name: 'strategy',
    rule: text('name', 'the name of a strategy'),
    help: 'how requests are spread: round_robin (default), least_conn, ip_hash or random_two',
  },
  {
    name: 'health-check',
    rule: text('path', 'a path that starts with /'),
    help: 'path that each upstream is asked for; without it upstreams are judged by their answers only',
  },
  {
    name: 'response-timeout',
    rule: duration(1),
    default: '1m',
    help: 'longest time until an upstream begins to answer (504)',
  },
] as const satisfies readonly OptionRow[];

/** Kept in the configuration by this name. */
const BACKEND = 'upstreams';

export const proxy: Command = {
  description: 'Passes requests on to one or more upstreams, WebSockets included, on every core.',
  rows: ROWS,
  positionalHelp: 'the upstreams, each host:port or a URL, and the same as --port at the end',
  notes: `An upstream that fails is left out for a while. Clients are named in X-Forwarded-For, -Host and -Proto.

Examples:
  vrypt-server proxy localhost:3000 8080
  vrypt-server proxy app1:3000 app2:3000 --strategy least_conn --health-check /health
  vrypt-server proxy unix:/run/app.sock 8080
`,
  run: async ({ options, positionals }, io) => {
    const last = positionals.at(-1) ?? '';
    const isPort = /^\d+$/.test(last);
    const upstreams = isPort ? positionals.slice(0, -1) : positionals;
    if (upstreams.length === 0)
      throw new UsageError('proxy must be given at least one upstream, such as localhost:3000');
    if (isPort) readBy(PORT, 'port', last);
    const { values } = resolveOptions(ROWS, isPort ? { ...options, port: [last] } : options, io.environment);
    const input = {
      server: serverInput(values),
      backends: {
        [BACKEND]: {
          urls: [...upstreams],
          response_timeout: `${values['response-timeout']}ms`,
          ...(values.strategy === undefined ? {} : { strategy: values.strategy }),
          ...(values['health-check'] === undefined ? {} : { health_check: values['health-check'] }),
        },
      },
      sites: [{ proxy: BACKEND }],
    } as ConfigInput;
    return serveInput(input, values, io);
  },
};
