/** A request of either level, as helpers for both of them read it. */
import type { Call } from './app.ts';

/** What handlers are called with: a `Call`, or a `Request`. */
export type Asked = Call | Request;

export function headerOf(asked: Asked, name: string): string | null {
  return 'headers' in asked ? asked.headers.get(name) : asked.header(name);
}

/** Its content as it came, in pieces; to be read once. */
export function contentOf(asked: Asked): AsyncIterable<Uint8Array> {
  return 'headers' in asked ? (asked.body ?? nothing()) : asked.body;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
