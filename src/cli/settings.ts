/** The options as rows (name, default, rule, help), and what they come to: `Settings`, or a `UsageError`. */
import type { EngineLimits } from '../engine/limits.ts';
import type { TransportName } from '../engine/transport.ts';
import type { StatsdTarget } from './statsd.ts';
import { duration, hostAndPort, size, UsageError, wholeNumber, wrong } from './units.ts';

export interface Settings {
  /** As typed, without brackets: an address or a name. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** 0: as many as the machine runs at once. */
  readonly workers: number;
  readonly limits: EngineLimits;
  /** Somebody asked for this many connections, so that fewer are worth a word. */
  readonly isMaxConnectionsTyped: boolean;
  readonly drainTimeoutMs: number;
  readonly statsd: StatsdTarget | null;
  readonly sharesPort: boolean;
  readonly isQuiet: boolean;
  readonly transport: TransportName;
}

export interface OptionRow {
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help; without it the option is a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly help: string;
}

export const OPTION_ROWS = [
  {
    name: 'port',
    short: 'p',
    value: 'number',
    default: '8080',
    help: 'port to listen on, 0 for any free one (environment: PORT)',
  },
  {
    name: 'host',
    short: 'H',
    value: 'address',
    default: '0.0.0.0',
    help: 'address or name to listen on; :: for IPv6 and IPv4',
  },
  { name: 'workers', short: 'w', value: 'number', default: 'auto', help: 'event loops, auto for one per core' },
  { name: 'idle-timeout', value: 'duration', default: '75s', help: 'close a connection without a request after this' },
  { name: 'header-timeout', value: 'duration', default: '10s', help: 'longest time for the head of a request (408)' },
  {
    name: 'body-timeout',
    value: 'duration',
    default: '30s',
    help: 'longest time without progress of the content (408)',
  },
  { name: 'request-timeout', value: 'duration', default: '5m', help: 'longest time for a whole request (408)' },
  {
    name: 'send-timeout',
    value: 'duration',
    default: '30s',
    help: 'cut off a client that takes nothing for this long',
  },
  { name: 'max-request-line', value: 'size', default: '8KiB', help: 'longest request line (414)' },
  { name: 'max-header-size', value: 'size', default: '16KiB', help: 'largest header section (431)' },
  { name: 'max-header-count', value: 'number', default: '100', help: 'most field lines in a header section (431)' },
  { name: 'max-body-size', value: 'size', default: '1GiB', help: 'largest content (413)' },
  {
    name: 'max-requests',
    value: 'number',
    default: '1000000',
    help: 'most requests on one connection, 0 for any number',
  },
  { name: 'max-connections', value: 'number', default: '65536', help: 'most connections at once (503)' },
  { name: 'drain-timeout', value: 'duration', default: '10s', help: 'longest time from SIGTERM to the end' },
  { name: 'statsd', value: 'host:port', help: 'push vrypt.rps:<n>|g there by UDP each second' },
  { name: 'share', help: 'join a server that already listens on the port' },
  { name: 'quiet', short: 'q', help: 'print nothing but errors' },
] as const satisfies readonly OptionRow[];

export type OptionName = (typeof OPTION_ROWS)[number]['name'];

/** What was typed, by option; a switch that was given is "". */
export type TypedOptions = Readonly<Partial<Record<OptionName, string>>>;

/** Not in the help: for tests of the second transport. */
const TRANSPORT_VARIABLE = 'VRYPT_TRANSPORT';

/** Flags go above the environment, the environment above defaults. */
export function resolveSettings(
  typed: TypedOptions,
  positionalPort: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const text = (name: OptionName): string => typed[name] ?? (defaultOf(name) as string);
  return {
    host: resolveHost(text('host')),
    port: resolvePort(typed.port, positionalPort, environment['PORT']),
    workers: text('workers') === 'auto' ? 0 : resolveWorkers(text('workers')),
    limits: {
      idleTimeoutMs: duration('--idle-timeout', text('idle-timeout')),
      headerTimeoutMs: duration('--header-timeout', text('header-timeout')),
      bodyTimeoutMs: duration('--body-timeout', text('body-timeout')),
      requestTimeoutMs: duration('--request-timeout', text('request-timeout')),
      sendTimeoutMs: duration('--send-timeout', text('send-timeout')),
      maxRequestLine: size('--max-request-line', text('max-request-line'), 64, 1024 ** 2),
      maxHeaderSize: size('--max-header-size', text('max-header-size'), 64, 1024 ** 2),
      maxHeaderCount: wholeNumber('--max-header-count', text('max-header-count'), 1, 10_000),
      maxBodySize: size('--max-body-size', text('max-body-size'), 0, 1024 ** 5),
      maxDropped: Number.POSITIVE_INFINITY,
      handlerTimeoutMs: Number.POSITIVE_INFINITY,
      maxRequests: wholeNumber('--max-requests', text('max-requests'), 0, 2 ** 31) || Number.POSITIVE_INFINITY,
      maxConnections: wholeNumber('--max-connections', text('max-connections'), 1, 2 ** 24),
    },
    isMaxConnectionsTyped: typed['max-connections'] !== undefined,
    drainTimeoutMs: duration('--drain-timeout', text('drain-timeout')),
    statsd: typed.statsd === undefined ? null : hostAndPort('--statsd', typed.statsd),
    sharesPort: typed.share !== undefined,
    isQuiet: typed.quiet !== undefined,
    transport: environment[TRANSPORT_VARIABLE] === 'net' ? 'net' : 'handle',
  };
}

export function defaultOf(name: OptionName): string | undefined {
  const row: OptionRow | undefined = OPTION_ROWS.find((one) => one.name === name);
  return row?.default;
}

function resolvePort(flag: string | undefined, positional: string | undefined, variable: string | undefined): number {
  const fromFlag = flag === undefined ? undefined : wholeNumber('--port', flag, 0, 65535);
  const fromPosition = positional === undefined ? undefined : wholeNumber('port', positional, 0, 65535);
  if (fromFlag !== undefined && fromPosition !== undefined && fromFlag !== fromPosition) {
    throw new UsageError(`--port and the port given without a name must not differ, got ${flag} and ${positional}`);
  }
  const typed = fromFlag ?? fromPosition;
  if (typed !== undefined) return typed;
  return variable ? wholeNumber('PORT', variable, 0, 65535) : Number(defaultOf('port'));
}

function resolveWorkers(text: string): number {
  if (!/^\d+$/.test(text)) throw wrong('--workers', 'a whole number from 1 to 1024 or auto', text);
  return wholeNumber('--workers', text, 1, 1024);
}

function resolveHost(text: string): string {
  const host = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (!/^[0-9A-Za-z:.%_-]+$/.test(host)) throw wrong('--host', 'an IP address or a host name', text);
  return host;
}
