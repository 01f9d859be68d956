/** The command `healthcheck`: which server is asked for what, and the exit code. For images without a shell or curl. */

import { duration, isIPv6, type Rule } from '../rules/rules.ts';
import type { Command, CommandLine } from './commands.ts';
import { check, type HealthTarget } from './health-probe.ts';
import { flagOf, type OptionRow, resolveOptions } from './options.ts';
import { type Environment, ExitCode } from './process-io.ts';
import { readBy } from './read-by.ts';
import { LISTEN_ROWS, PORT } from './settings.ts';
import { watchSignals } from './signals.ts';
import { UsageError } from './usage-error.ts';

const [PORT_ROW, HOST_ROW, UNIX_ROW] = LISTEN_ROWS;

const ROWS = [
  { ...PORT_ROW, help: 'port of the server (environment: VRYPT_PORT, then PORT)' },
  { ...HOST_ROW, help: 'address or name of the server (default: 127.0.0.1)' },
  { ...UNIX_ROW, excludes: ['port', 'host'], help: 'Unix socket of the server, instead of a port' },
  {
    name: 'timeout',
    rule: duration(1),
    default: '5s',
    help: 'longest time for the whole check',
  },
] as const satisfies readonly OptionRow[];

const HTTP_URL: Rule<URL> = {
  placeholder: 'url',
  requirement: 'a URL that begins with http://, a path that begins with / or a port',
  read: (text) => {
    const url = /^http:\/\//i.test(text) ? URL.parse(text) : null;
    return url === null || url.username !== '' || url.password !== '' || url.port === '0' ? undefined : url;
  },
};

export const healthcheck: Command = {
  description:
    'Asks a running server once. Exit code 0 if it answers with 2xx or 3xx, otherwise 1 and one line that says why.',
  rows: ROWS,
  positionalHelp: 'what to ask: a URL, only its path, or only a port (default: / at the port of the server)',
  notes: `The server is asked where the same options and the same environment make it listen. In a Dockerfile:
  HEALTHCHECK CMD ["/vrypt-server", "healthcheck"]
`,
  run: async (line, io) => {
    const target = resolveTarget(line, io.environment);
    const problem = await Promise.race([
      check(target, `vrypt-server/${io.build.version}`),
      watchSignals().first.then((signal) => `has not answered before ${signal}`),
    ]);
    if (problem === null) return ExitCode.ok;
    const place = target.unixPath ?? `http://${target.authority}`;
    io.printError(`vrypt-server: ${place}${target.unixPath === undefined ? target.path : ''} ${problem}\n`);
    return ExitCode.failed;
  },
};

export function resolveTarget(
  { options, positional = '/' }: Pick<CommandLine, 'options' | 'positional'>,
  environment: Environment,
): HealthTarget {
  const { values, sources } = resolveOptions(ROWS, options, environment);
  const timeoutMs = values.timeout;
  const isTyped = (name: 'port' | 'host' | 'unix') => sources[name]?.label === `--${name}`;
  if (!positional.startsWith('/') && !/^\d+$/.test(positional)) {
    const url = readBy(HTTP_URL, 'url', positional);
    for (const row of [PORT_ROW, HOST_ROW]) {
      if (isTyped(row.name)) throw new UsageError(`${flagOf(row)} and a whole url must not be given together`);
    }
    // A URL names another place than the environment does.
    const unixPath = isTyped('unix') ? values.unix : undefined;
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    return {
      host,
      port: Number(url.port || 80),
      unixPath,
      path: url.pathname + url.search,
      authority: url.host,
      timeoutMs,
    };
  }
  const path = positional.startsWith('/') ? readBy(PATH, 'path', positional) : '/';
  const hasPort = !positional.startsWith('/');
  if (values.unix !== undefined && !hasPort) {
    return { host: undefined, port: 0, unixPath: values.unix, path, authority: 'localhost', timeoutMs };
  }
  const port = hasPort ? readBy(PORT, 'port', positional) : values.port;
  if (hasPort && isTyped('port') && values.port !== port) {
    throw new UsageError(`--port and the port given without a name must not differ, got ${values.port} and ${port}`);
  }
  if (port === 0) {
    const label = hasPort ? 'port' : (sources.port?.label ?? '--port');
    throw new UsageError(`${label} must be a whole number from 1 to 65535, got "0"`);
  }
  const host = reachable(values.host);
  return {
    host,
    port,
    unixPath: undefined,
    path,
    authority: `${isIPv6(host) ? `[${host}]` : host}:${port}`,
    timeoutMs,
  };
}

/** Of RFC 3986 only what matters here: nothing that would end the request line. */
const PATH: Rule<string> = {
  placeholder: 'path',
  requirement: 'printable ASCII without spaces',
  read: (text) => (/^[\x21-\x7e]+$/.test(text) ? text : undefined),
};

/** A server that listens on every address is asked on loopback. */
function reachable(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
