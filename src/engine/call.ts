/** What answers requests: the contract between the engine and everything built on it. */
import type { Fields } from '../http/fields.ts';
import type { Reply } from '../http/reply.ts';
import type { Address, PeerCredentials } from './address.ts';

/** Those whose connections carry several requests at once. */
export type MultiplexedVersion = '2' | '3';
export type HttpVersion = '1.0' | '1.1' | MultiplexedVersion;

/**
 * A request as its handler sees it, from the moment its head has been read. Valid while the handler runs. A handler that returns
 * a promise or a stream may use it until its answer is complete; to use it longer, call `keep()`.
 */
export interface Call<S = unknown> {
  /** Case-sensitive token (RFC 9110 §9.1). */
  readonly method: string;
  /** As it came, percent-encoding included; any of the four forms (RFC 9112 §3.2). */
  readonly target: string;
  /** The target up to its query, undecoded. */
  readonly path: string;
  /** The target after its first "?", undecoded; "" if it has none. */
  readonly query: string;
  readonly version: HttpVersion;
  /** Parameters of the route, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The value of a field, in any case; repeated fields are joined by ", ", Cookie by "; " (RFC 9110 §5.3); null without one. */
  header(name: string): string | null;
  /** All fields: their case, order and repetition as they came. */
  fields(): IterableIterator<[name: string, value: string]>;
  /** The head as it came, from the request line to the empty line; null in HTTP/2, which has none. */
  readonly head: Uint8Array | null;
  readonly body: Body;
  readonly remote: Address;
  readonly local: Address;
  /** Who is at the other end of a Unix socket; null on TCP. Throws on a Node without our binding, which cannot tell. */
  readonly peer: PeerCredentials | null;
  /** What the worker's `start` returned. */
  readonly state: S;
  /** Made when asked for. Aborts if the client goes or ends its side, a time-out passes or a drain ends before the answer is sent. */
  readonly signal: AbortSignal;
  /** Resolves when the kernel has the last byte of the answer; rejects if it never will. */
  readonly sent: Promise<void>;
  /** Makes the view last: it keeps a copy of the head. */
  keep(): this;
  /** The longest time, in milliseconds, for the handler and between two pieces of a stream; 0: none. Overrides the limits. */
  timeout(ms: number): void;
  /** Sends an interim answer, such as 103 Early Hints (RFC 8297). Clients of HTTP/1.0 get none. */
  inform(status: number, fields: Fields): void;
  /** A drain waits for this work. */
  waitUntil(work: Promise<unknown>): void;
  /** Calls `listener` when a drain begins, or at once if it has begun; returns what takes it off again. */
  whenDraining(listener: () => void): () => void;
  /** Calls `listener` at every tick of the engine's clock, with its time in milliseconds; returns what takes it off again. */
  everyTick(listener: (now: number) => void): () => void;
}

/** The content of a request, to be read at most once. */
export interface Body extends AsyncIterable<Uint8Array> {
  /** Content-Length, 0 if there is no content, or null if it is chunked. */
  readonly length: number | null;
  /** All of it, if it came together with the head; otherwise null. Valid only while the handler is called: not a copy. */
  readonly now: Uint8Array | null;
  /** Each rejects with a `RequestError` if there are more than `max` bytes, or the client fails to send them. */
  bytes(max?: number): Promise<Uint8Array>;
  /** As UTF-8. */
  text(max?: number): Promise<string>;
  json<T = unknown>(max?: number): Promise<T>;
  /** Nothing is read from the socket that nobody asked for. */
  stream(): ReadableStream<Uint8Array>;
}

/** How an exchange ended; for logs and metrics. */
export interface AnswerEnd {
  /** 0 if there was no answer. */
  readonly status: number;
  /** Bytes of content that were sent. */
  readonly bytes: number;
  /** From the call of the handler. */
  readonly ms: number;
  /** The client left, or the answer could not be completed. */
  readonly isAborted: boolean;
}

/**
 * Gives the answer to a request, at once or later. A handler that throws or rejects costs the client a 500 and its connection,
 * nothing else.
 */
export type Handler = (call: Call) => Reply | Promise<Reply>;
