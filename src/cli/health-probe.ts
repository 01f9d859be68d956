/** Asks a server whether it is healthy: one GET, by `node:net`. Owns one socket at a time. */
import { connect, type NetConnectOpts } from 'node:net';
import { lookUp } from '../engine/look-up.ts';
import { formatDuration } from '../rules/rules.ts';

export interface HealthTarget {
  /** undefined if a Unix socket is asked. */
  readonly host: string | undefined;
  readonly port: number;
  readonly unixPath: string | undefined;
  /** Path and query, as sent. */
  readonly path: string;
  /** The value of the Host field. */
  readonly authority: string;
  readonly timeoutMs: number;
}

/** A response head that is longer than this is not one that a health check sends. */
const MAX_RESPONSE_BYTES = 64 * 1024;

/** null if the server is healthy; otherwise what is wrong, as the end of a sentence about it. */
export async function check(target: HealthTarget, userAgent: string): Promise<string | null> {
  const ending = new AbortController();
  const timeout = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => timeout.resolve(`did not answer within ${formatDuration(target.timeoutMs)}`),
    target.timeoutMs,
  );
  const asking = ask(target, userAgent, ending.signal).catch(explain);
  try {
    return await Promise.race([asking, timeout.promise]);
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

/** Of the first address that can be asked. */
async function ask(target: HealthTarget, userAgent: string, signal: AbortSignal): Promise<string | null> {
  const { path, authority } = target;
  const request = `GET ${path} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: ${userAgent}\r\nConnection: close\r\n\r\n`;
  let failure: unknown;
  for (const place of await placesOf(target, signal)) {
    try {
      return await askOne({ ...place, signal }, request);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function placesOf({ host, port, unixPath }: HealthTarget, signal: AbortSignal): Promise<NetConnectOpts[]> {
  if (unixPath !== undefined) return [{ path: unixPath }];
  const { addresses } = await lookUp(host ?? '127.0.0.1', signal);
  return addresses.map((address) => ({ host: address, port }));
}

/** Rejects if the connection fails. */
function askOne(place: NetConnectOpts, request: string): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const socket = connect(place).setEncoding('latin1');
    let response = '';
    socket.on('data', (text: string) => {
      response += text;
      const status = readStatus(response);
      if (status === undefined && response.length <= MAX_RESPONSE_BYTES) return;
      resolve(verdictOn(status ?? null));
      socket.destroy();
    });
    socket.on('end', () => resolve('closed the connection without an answer'));
    socket.on('error', reject);
    socket.write(request);
  });
}

function verdictOn(status: number | null): string | null {
  if (status === null) return 'did not answer with HTTP/1.1';
  return status >= 200 && status < 400 ? null : `answered with ${status}`;
}

function explain(error: unknown): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  // Only errors of the system have a call; those of a lookup say what is wrong.
  return syscall === undefined ? `cannot be reached: ${message}` : `cannot be reached (${code})`;
}

/** Of the final response; undefined: more is needed, null: this is not HTTP/1.x. Skips interim responses (RFC 9110 §15.2). */
export function readStatus(response: string): number | null | undefined {
  let rest = response;
  for (;;) {
    if (!rest.startsWith('HTTP/1.'.slice(0, rest.length))) return null;
    if (!rest.includes('\n')) return undefined;
    const [, digits] = /^HTTP\/1\.\d (\d{3})(?: |\r?\n)/.exec(rest) ?? [];
    if (digits === undefined) return null;
    const status = Number(digits);
    if (status >= 200 || status === 101) return status;
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    rest = rest.slice(end + 4);
  }
}
