/** The options of the server as rows, and what they come to: `Settings`. */
import type { AppSource } from '../app/source.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { TransportName } from '../engine/transport.ts';
import {
  duration,
  HOST,
  HOST_AND_PORT,
  type HostAndPort,
  oneOf,
  orWord,
  size,
  text,
  wholeNumber,
} from '../rules/rules.ts';
import type { WorkerApp } from '../workers/worker-app.ts';
import { type OptionRow, resolveOptions, type TypedOptions as TypedOptionsOf } from './options.ts';
import { ANSWER_ROWS, resolveApp } from './own-answer.ts';
import type { Environment } from './process-io.ts';

export interface Settings {
  /** An address without brackets, or a name; undefined: every address of the machine, IPv6 and IPv4. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
  /** Listen on this Unix socket instead of host and port. */
  readonly unixPath: string | undefined;
  /** auto: as many as the machine runs at once. */
  readonly workers: number | 'auto';
  readonly isolation: Isolation;
  readonly app: WorkerApp;
  readonly limits: EngineLimits;
  /** What `host`, `statsd` and the limit on connections were set with: a flag, or a variable of the environment. */
  readonly labels: SettingLabels;
  readonly drainDelayMs: number;
  readonly drainTimeoutMs: number;
  readonly statsd: HostAndPort | undefined;
  readonly sharesPort: boolean;
  readonly isQuiet: boolean;
  readonly transport: TransportName;
}

export interface SettingLabels {
  readonly host: string;
  readonly statsd: string;
  /** Null: nobody asked for a number, so nobody is told when fewer fit. */
  readonly maxConnections: string | null;
  /** Null: the command has no such option. */
  readonly share: string | null;
}

export const USUAL_LABELS: SettingLabels = {
  host: '--host',
  statsd: '--statsd',
  maxConnections: null,
  share: '--share',
};

/** What each worker is. */
export type Isolation = 'thread' | 'process';

export const PORT = wholeNumber(0, 65_535);

/** Where a server listens; `healthcheck` asks it there. */
export const LISTEN_ROWS = [
  {
    name: 'port',
    short: 'p',
    rule: PORT,
    default: '8080',
    variable: 'PORT',
    // Kubernetes sets VRYPT_PORT=tcp://10.0.0.1:80 in every pod beside a Service that is named vrypt.
    ignored: /^(tcp|udp|sctp):\/\//,
    help: 'port to listen on, 0 for any free one (environment: VRYPT_PORT, then PORT)',
  },
  {
    name: 'host',
    short: 'H',
    rule: HOST,
    help: 'address or name to listen on (default: every address, IPv6 and IPv4)',
  },
  {
    name: 'unix',
    // sun_path of unix(7) holds 108 bytes, the last of them NUL.
    rule: text('path', 'the path of a socket, of 1 to 107 bytes', 107),
    excludes: ['port', 'host', 'share'],
    help: 'Unix socket to listen on, instead of a port',
  },
] as const satisfies readonly OptionRow[];

export const OPTION_ROWS = [
  ...LISTEN_ROWS,
  {
    name: 'workers',
    short: 'w',
    rule: orWord(wholeNumber(1, 1024), 'auto', 'auto' as const),
    default: 'auto',
    help: 'event loops, auto for one per core',
  },
  {
    name: 'isolation',
    rule: oneOf('thread', 'process'),
    default: 'thread',
    help: 'what workers are: threads, or processes, of which a crash costs only its own connections',
  },
  {
    name: 'worker',
    rule: wholeNumber(1, 1024),
    excludes: ['workers', 'isolation'],
    help: 'the same as --workers <number> --isolation process',
  },
  ...ANSWER_ROWS,
  {
    name: 'idle-timeout',
    rule: duration(1),
    default: '75s',
    help: 'close a connection that has had no request for this long',
  },
  {
    name: 'header-timeout',
    rule: duration(1),
    default: '10s',
    help: 'longest time for the head of a request (408)',
  },
  {
    name: 'timeout-ms',
    rule: wholeNumber(1, 86_400_000),
    excludes: ['header-timeout'],
    help: 'the same as --header-timeout, in milliseconds',
  },
  {
    name: 'body-timeout',
    rule: duration(1),
    default: '30s',
    help: 'longest time without progress of the content of a request (408)',
  },
  {
    name: 'request-timeout',
    rule: duration(1),
    default: '5m',
    help: 'longest time for a whole request (408)',
  },
  {
    name: 'send-timeout',
    rule: duration(1),
    default: '30s',
    help: 'cut off a client that takes nothing for this long',
  },
  {
    name: 'max-request-line',
    rule: size(64, 1024 ** 2),
    default: '8KiB',
    help: 'longest request line (414)',
  },
  {
    name: 'max-header-size',
    rule: size(64, 1024 ** 2),
    default: '16KiB',
    help: 'largest header section (431)',
  },
  {
    name: 'max-header-count',
    rule: wholeNumber(1, 10_000),
    default: '100',
    help: 'most field lines in a header section (431)',
  },
  {
    name: 'max-body-size',
    rule: size(0, 1024 ** 5),
    default: '1GiB',
    help: 'largest content of a request (413)',
  },
  {
    name: 'max-requests',
    rule: wholeNumber(0, 2 ** 31),
    default: '1000000',
    help: 'most requests on one connection, 0 for any number',
  },
  {
    name: 'max-connections',
    rule: wholeNumber(1, 2 ** 24),
    default: '65536',
    help: 'most connections at once (503)',
  },
  {
    name: 'drain-delay',
    rule: duration(0),
    default: '0s',
    help: 'keep accepting for this long after SIGTERM, for balancers to notice',
  },
  {
    name: 'drain-timeout',
    rule: duration(1),
    default: '10s',
    help: 'longest time from the end of the drain delay to the exit',
  },
  {
    name: 'statsd',
    rule: HOST_AND_PORT,
    help: 'push vrypt.rps:<n>|g there by UDP each second',
  },
  {
    name: 'share',
    help: 'join a server that already listens on the port',
  },
  {
    name: 'quiet',
    short: 'q',
    help: 'print nothing but errors',
  },
] as const satisfies readonly OptionRow[];

export type OptionName = (typeof OPTION_ROWS)[number]['name'];
export type TypedOptions = TypedOptionsOf<OptionName>;

/** Internal, for the tests of the second transport. No option has this form. */
const TRANSPORT_VARIABLE = '__VRYPT_TRANSPORT';

/** Throws a UsageError for a value that breaks its rule and for options that contradict each other. */
export function resolveSettings(typed: TypedOptions, environment: Environment): Settings & { readonly app: AppSource } {
  const resolved = resolveOptions(OPTION_ROWS, typed, environment);
  const { values, sources } = resolved;
  const isolation = values.worker === undefined ? values.isolation : 'process';
  return {
    host: values.host,
    port: values.port,
    unixPath: values.unix,
    workers: values.worker ?? values.workers,
    isolation,
    app: resolveApp(resolved),
    limits: {
      idleTimeoutMs: values['idle-timeout'],
      headerTimeoutMs: values['timeout-ms'] ?? values['header-timeout'],
      bodyTimeoutMs: values['body-timeout'],
      requestTimeoutMs: values['request-timeout'],
      sendTimeoutMs: values['send-timeout'],
      maxRequestLine: values['max-request-line'],
      maxHeaderSize: values['max-header-size'],
      maxHeaderCount: values['max-header-count'],
      maxBodySize: values['max-body-size'],
      maxDropped: Number.POSITIVE_INFINITY,
      handlerTimeoutMs: Number.POSITIVE_INFINITY,
      maxRequests: values['max-requests'] || Number.POSITIVE_INFINITY,
      maxConnections: values['max-connections'],
    },
    labels: {
      host: sources.host?.label ?? USUAL_LABELS.host,
      statsd: sources.statsd?.label ?? USUAL_LABELS.statsd,
      maxConnections: sources['max-connections']?.label ?? null,
      share: USUAL_LABELS.share,
    },
    drainDelayMs: values['drain-delay'],
    drainTimeoutMs: values['drain-timeout'],
    statsd: values.statsd,
    sharesPort: values.share,
    isQuiet: values.quiet,
    transport: environment[TRANSPORT_VARIABLE] === 'net' ? 'net' : 'handle',
  };
}
