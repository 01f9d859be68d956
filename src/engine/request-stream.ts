/** What an exchange needs of its stream, and what the stream tells it: the same of HTTP/2 and of HTTP/3. */
import type { Buffer } from 'node:buffer';
import type { PreparedAnswer } from './http2-answers.ts';
import type { RawFields, ResponseFields } from './http2-fields.ts';

/** Nothing of it is called before `resume`, but `onDrained` and `onStreamClosed`. */
export interface StreamListener {
  /** A piece of content, valid during the call. */
  onContent(bytes: Buffer): void;
  /** All content has come. */
  onContentEnd(): void;
  /** What was written has been sent: more can be taken. */
  onDrained(): void;
  /** It is over; never called from within a call of the exchange's. */
  onStreamClosed(): void;
}

export interface RequestStream {
  /** Set by the exchange. */
  listener: StreamListener | null;
  /** There is no content. */
  readonly endAfterHeaders: boolean;
  /** Nothing more can be sent or received. */
  readonly destroyed: boolean;
  readonly readableEnded: boolean;
  readonly writableNeedDrain: boolean;
  /** What came after the content, once `onContentEnd` is called; null: nothing. */
  readonly trailers: RawFields | null;
  /** Bytes that wait to be sent. */
  readonly bufferSize: number;
  /** How it ended: `Reset.noError` if nothing was cut off. */
  readonly rstCode: number;
  /** `kept`: the answer that the fields are of, if it is sent often. */
  respond(fields: ResponseFields, isEnd: boolean, kept: PreparedAnswer | null): void;
  additionalHeaders(fields: Record<string, number | string[]>): void;
  /** The bytes may be used again at once. False: `onDrained` follows. */
  write(bytes: Buffer): boolean;
  /** The bytes must stay as they are. */
  end(bytes?: Buffer): void;
  /** The same with fields after the content. */
  endWith(trailers: ResponseFields): void;
  /** Resets it; `Reset.noError` asks the client for no more content. */
  close(code: number): void;
  /** Content is held back; at first it is. */
  pause(): void;
  resume(): void;
}
