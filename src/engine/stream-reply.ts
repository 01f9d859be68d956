/** Answers whose content comes in pieces (RFC 9112 §7.1): their source and their framing. */
import { type Fields, renderFields } from '../http/fields.ts';
import { Reply, ReplyKind } from '../http/reply.ts';
import { checkStatus, mustBeEmpty, reasonPhrase } from '../http/status.ts';

export type Content = string | Uint8Array;

/** Receives the pieces of a stream. */
export interface Sink {
  /**
   * Sends a piece, a string as UTF-8. Returns true if the kernel took it, otherwise a promise that resolves when it has;
   * that rejects, like every further write, once the client is gone.
   */
  write(piece: Content): true | Promise<void>;
  /** Aborts when the client goes. */
  readonly signal: AbortSignal;
}

/** The next piece is asked for when the kernel has taken the last one. */
export type StreamSource = AsyncIterable<Content> | ReadableStream<Uint8Array> | ((out: Sink) => void | Promise<void>);

export class StreamReply extends Reply {
  readonly status: number;
  /** Status line and fields, without those that frame the content. */
  readonly start: string;
  readonly source: StreamSource;
  /** null: not known in advance. */
  readonly length: number | null;

  /** `fieldLines` and `reason` have been checked, each line with its CR LF. Throws a RangeError for what contradicts itself. */
  constructor(status: number, reason: string, fieldLines: string, source: StreamSource, length: number | null) {
    super();
    checkStatus(status);
    if (mustBeEmpty(status))
      throw new RangeError(`an answer with status ${status} must not have content, got a stream`);
    if (length !== null && !(Number.isSafeInteger(length) && length >= 0)) {
      throw new RangeError(`the length of a stream must be a whole number of bytes, got ${length}`);
    }
    this.status = status;
    this.start = `HTTP/1.1 ${status} ${reason}\r\n${fieldLines}`;
    this.source = source;
    this.length = length;
  }

  get kind(): typeof ReplyKind.stream {
    return ReplyKind.stream;
  }

  override discard(): void {
    const { source } = this;
    if (typeof source === 'function') return;
    const ended = 'getReader' in source ? source.cancel() : source[Symbol.asyncIterator]().return?.();
    // What a source fails with while it is let go of has no consequences.
    Promise.resolve(ended).catch(() => {});
  }
}

/**
 * An answer in pieces. Chunked unless `length` is given (to HTTP/1.0 the connection closes after it). If the source fails or does
 * not keep to `length`, the connection is cut off, so that no client mistakes a part for the whole.
 */
export function stream(status: number, fields: Fields, source: StreamSource, length?: number): StreamReply {
  return new StreamReply(status, reasonPhrase(status), renderFields(fields), source, length ?? null);
}
