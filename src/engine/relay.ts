/**
 * Answers that are passed on from somebody else, as they come: bytes in, bytes out, by calls and without a promise or a copy of the
 * request. The contract between a connection and whoever does it (`src/proxy`).
 */
import type { Buffer } from 'node:buffer';
import { Reply, ReplyKind } from '../http/reply.ts';
import type { Output } from './output.ts';
import type { AnswerWriter, FramingValue } from './stream-writer.ts';

/** What a relay needs from the connection of the client. */
export interface RelayHost {
  /**
   * Where the answer is put: `HTTP/1.1`, status and fields as lines; `endHead`; content, framed as that says. Empty when the relay
   * is called from outside, and must be flushed or ended before it returns.
   */
  readonly output: Output;
  /** The answer must not have content. */
  readonly isToHead: boolean;
  /** Content-Length of the request, 0 without content, -1 if it is chunked. */
  readonly requestLength: number;
  /** HTTP/1.0 has no interim answers and no chunks. */
  readonly minorVersion: number;
  /**
   * Puts what frames the content of the answer and what concerns its connection, and the empty line. `length` is -1 if it is not
   * known; an answer without content may still say it. `hasDate`: a Date has been put.
   */
  endHead(relay: RelayReply, length: number, hasContent: boolean, hasDate: boolean): FramingValue;
  /** Sends the output; true if the kernel took all of it, or will get it soon. Otherwise `onDrained` follows. */
  flushContent(): boolean;
  /** All of the answer has been put. */
  onStreamEnd(relay: RelayReply, error: null): void;
  /** Instead of an answer that was passed on, before its head: this one. */
  answerInstead(relay: RelayReply, reply: Reply): void;
  /** The answer cannot be completed, and must not look complete. */
  cutOffRelay(relay: RelayReply): void;
  /** A whole interim head (RFC 9110 §15.2). */
  sendInterim(text: string): void;
  /** `isWanted` has become true. */
  onContentWanted(): void;
}

export abstract class RelayReply extends Reply implements AnswerWriter {
  /** Of the answer that is passed on; 0 until its head has come. */
  abstract override readonly status: number;
  /** Bytes of content put so far. */
  abstract readonly bytes: number;
  /** As `endHead` has said. */
  abstract readonly framing: FramingValue;
  /** Field lines that follow content of unknown length, unless it is in chunks, which bring their own; known at the end. */
  abstract readonly trailers: string;
  /** More content of the request can be taken. */
  abstract readonly isWanted: boolean;

  override get kind(): typeof ReplyKind.relay {
    return ReplyKind.relay;
  }

  /**
   * Called once, while the request is valid. If it has content, `flush` or `complete` follows at once. The time it may take is the
   * relay's to limit.
   */
  abstract begin(host: RelayHost): void;
  /** A piece of the request's content, valid during the call. */
  abstract push(bytes: Buffer, start: number, end: number): void;
  /** A piece of its trailer section, the empty line included. */
  abstract pushTrailers(bytes: Buffer, start: number, end: number): void;
  /** Everything that has arrived of the request has been pushed. */
  abstract flush(): void;
  /** The request is complete. */
  abstract complete(): void;
  /** The kernel has what was put for the client. */
  abstract onDrained(): void;
  /** The client is gone, or its request has turned out to be wrong. */
  abstract abort(error: Error): void;
}
