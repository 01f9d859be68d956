/** What a handler answers with: a closed set of kinds, each of which the engine can send. */
import type { Buffer } from 'node:buffer';

export const ReplyKind = { whole: 0, stream: 1, handOver: 2, relay: 3 } as const;
export type ReplyKindValue = (typeof ReplyKind)[keyof typeof ReplyKind];

export abstract class Reply {
  abstract readonly kind: ReplyKindValue;
  abstract readonly status: number;
  /**
   * The connection ends after it (RFC 9112 §9.6); in HTTP/2 and later this means nothing. No field of every answer: that took 0.1 µs.
   */
  declare closes: boolean;

  static {
    Reply.prototype.closes = false;
  }

  /** It will not be sent, or not its content: lets go of what it holds. */
  discard(): void {}
}

/** What an answer says about its connection. */
export const Persistence = { keepAlive: 0, close: 1 } as const;
export type PersistenceValue = (typeof Persistence)[keyof typeof Persistence];

/** Field lines that all answers of one second share, in one object per second. */
export interface SharedFields {
  /** `Date` and its CR LF, as an IMF-fixdate (RFC 9110 §5.6.7). */
  readonly date: string;
  /** The field lines of an answer after which the connection stays open; of these, HTTP/2 and later have those that are not the connection's. */
  readonly keepAlive: string;
}

/** Receives the bytes of answers. */
export interface ByteSink {
  /** The bytes must not change before they are written. */
  push(bytes: Buffer): void;
  /** Characters up to U+00FF, each one byte. */
  pushLatin1(text: string): void;
}

/** An answer whose content is complete. */
export abstract class WholeReply extends Reply {
  get kind(): typeof ReplyKind.whole {
    return ReplyKind.whole;
  }

  /** Bytes of its content; sent or, to HEAD, left out. */
  abstract readonly contentLength: number;

  /** It is the answer to many requests, so what is made of it is worth keeping. */
  get isLasting(): boolean {
    return false;
  }

  abstract putInto(sink: ByteSink, shared: SharedFields, persistence: PersistenceValue, isHead: boolean): void;
}

export const CLOSE_FIELD = 'Connection: close\r\n';

/**
 * The field lines that let a connection persist. The hint (RFC 2068 §19.7.1.1) is a second less than the server waits, so that
 * no client reuses a connection just as it is closed; "keep-alive" in Connection keeps it hop-by-hop.
 */
export function keepAliveFields(idleTimeoutMs: number): string {
  const seconds = Math.floor(idleTimeoutMs / 1000) - 1;
  return seconds > 0 ? `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n` : 'Connection: keep-alive\r\n';
}

export function connectionFields(shared: SharedFields, persistence: PersistenceValue): string {
  return persistence === Persistence.close ? CLOSE_FIELD : shared.keepAlive;
}
