/** What answers requests: the contract between the engine and everything built on it. */
import type { Answer } from '../http/answer.ts';
import type { Address } from './transport.ts';

/**
 * A request as its handler sees it, from the moment its head has been read. Valid while the handler runs, and if it returns a
 * promise, until that settles: the bytes belong to the engine.
 */
export interface Call {
  /** Case-sensitive token (RFC 9110 §9.1). */
  readonly method: string;
  /** As it came, percent-encoding included; any of the four forms (RFC 9112 §3.2). */
  readonly target: string;
  /** The target up to its query, undecoded. */
  readonly path: string;
  /** The target after its first "?", undecoded; "" if it has none. */
  readonly query: string;
  readonly version: '1.0' | '1.1';
  /** The value of a field, in any case; repeated fields are joined by ", ", Cookie by "; " (RFC 9110 §5.3); null without one. */
  header(name: string): string | null;
  /** All fields: their case, order and repetition as they came. */
  fields(): IterableIterator<[name: string, value: string]>;
  /** The head as it came, from the request line to the empty line. */
  readonly head: Uint8Array;
  readonly remote: Address;
  readonly local: Address;
}

/**
 * Gives the answer to a request, at once or later. The engine reads and drops the content before it sends the answer. A handler
 * that throws or rejects costs the client a 500 and its connection, nothing else.
 */
export type Handler = (call: Call) => Answer | Promise<Answer>;
