/** One request to an API over HTTPS, with its whole answer. Owns the connection, which is closed after it. */
import { Buffer } from 'node:buffer';
import type { IncomingMessage, RequestOptions } from 'node:http';

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** `http:` only to this machine. */
  readonly url: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly content?: string;
  /** PEM of the authorities to trust; null: Node's. */
  readonly ca?: string | null;
  readonly signal?: AbortSignal | undefined;
}

export interface Told {
  readonly status: number;
  readonly content: string;
  field(name: string): string | null;
}

const TIMEOUT_MS = 30_000;
const MAX_CONTENT = 1024 * 1024;
const LOOPBACK = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Rejects if there is no answer; one with any status is an answer. */
export async function ask({ method, url, fields = {}, content, ca = null, signal }: Question): Promise<Told> {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && LOOPBACK.test(hostname))) {
    throw new Error(`the address of an API must begin with https://, got ${JSON.stringify(url)}`);
  }
  // They cost some milliseconds and megabytes, once a month.
  const { request } = protocol === 'https:' ? await import('node:https') : await import('node:http');
  const options: RequestOptions & { ca?: string } = {
    method,
    agent: false,
    headers: { 'User-Agent': 'vrypt-server', ...fields },
    signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal === undefined ? [] : [signal])]),
    ...(ca === null ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, options, (answer) => read(answer).then(resolve, reject));
    asked.on('error', (error) => reject(new Error(`${hostname} cannot be asked: ${error.message}`, { cause: error })));
    asked.end(content);
  });
}

async function read(answer: IncomingMessage): Promise<Told> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    pieces.push(piece);
    size += piece.length;
    if (size > MAX_CONTENT) throw new Error(`an API must not answer more than ${MAX_CONTENT} bytes`);
  }
  const { headers } = answer;
  return {
    status: answer.statusCode ?? 0,
    content: Buffer.concat(pieces).toString('utf8'),
    field: (name) => {
      const value = headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : (value ?? null);
    },
  };
}
