/**
 * The settings of a line that nearly everybody types: nothing or a port, and no variable that sets an option. They are written
 * down here, because the rows of all options and their rules cost 1 MiB and 2 ms of the start. A test holds both together.
 */
import type { Environment } from './process-io.ts';
import type { Settings } from './settings.ts';

const DEFAULT_PORT = 8080;

/** Asked for one by one: to list all variables of the process costs 0.4 MiB. */
export const OPTION_VARIABLES: readonly string[] = [
  'PORT',
  'VRYPT_PORT',
  'VRYPT_HOST',
  'VRYPT_UNIX',
  'VRYPT_WORKERS',
  'VRYPT_ISOLATION',
  'VRYPT_WORKER',
  'VRYPT_TEXT',
  'VRYPT_BODY_FILE',
  'VRYPT_STATUS',
  'VRYPT_HEADER',
  'VRYPT_ECHO',
  'VRYPT_IDLE_TIMEOUT',
  'VRYPT_HEADER_TIMEOUT',
  'VRYPT_TIMEOUT_MS',
  'VRYPT_BODY_TIMEOUT',
  'VRYPT_REQUEST_TIMEOUT',
  'VRYPT_SEND_TIMEOUT',
  'VRYPT_MAX_REQUEST_LINE',
  'VRYPT_MAX_HEADER_SIZE',
  'VRYPT_MAX_HEADER_COUNT',
  'VRYPT_MAX_BODY_SIZE',
  'VRYPT_MAX_REQUESTS',
  'VRYPT_MAX_CONNECTIONS',
  'VRYPT_DRAIN_DELAY',
  'VRYPT_DRAIN_TIMEOUT',
  'VRYPT_STATSD',
  'VRYPT_SHARE',
  'VRYPT_QUIET',
  '__VRYPT_TRANSPORT',
];

/** The same as `resolveSettings` returns; null if the option rows have to be asked. */
export function plainSettings(args: readonly string[], environment: Environment): Settings | null {
  if (args.length > 1) return null;
  const port = args[0] === undefined ? DEFAULT_PORT : portOf(args[0]);
  return port === null || setsOption(environment) ? null : settingsWith(port);
}

/** Reads no regular expression into memory, as in `kernel-files.ts`. */
function portOf(text: string): number | null {
  const port = Number(text);
  // What Number() takes besides digits, such as " 80" or "8e1", comes out as other text.
  return Number.isInteger(port) && port >= 0 && port <= 65_535 && String(port) === text ? port : null;
}

function setsOption(environment: Environment): boolean {
  return OPTION_VARIABLES.some((name) => environment[name] !== undefined);
}

function settingsWith(port: number): Settings {
  return {
    host: undefined,
    port,
    unixPath: undefined,
    workers: 'auto',
    isolation: 'thread',
    app: { kind: 'respond', status: 200, fields: [['Content-Type', 'text/plain']], content: Buffer.from('Vrypt') },
    limits: {
      idleTimeoutMs: 75_000,
      headerTimeoutMs: 10_000,
      bodyTimeoutMs: 30_000,
      requestTimeoutMs: 300_000,
      sendTimeoutMs: 30_000,
      maxRequestLine: 8 * 1024,
      maxHeaderSize: 16 * 1024,
      maxHeaderCount: 100,
      maxBodySize: 1024 ** 3,
      maxDropped: Number.POSITIVE_INFINITY,
      handlerTimeoutMs: Number.POSITIVE_INFINITY,
      maxRequests: 1_000_000,
      maxConnections: 65_536,
    },
    labels: { host: '--host', statsd: '--statsd', maxConnections: null, share: '--share' },
    drainDelayMs: 0,
    drainTimeoutMs: 10_000,
    statsd: undefined,
    sharesPort: false,
    isQuiet: false,
    transport: 'handle',
  };
}
