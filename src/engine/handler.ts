/** What answers requests: the one contract between the engine and everything that is built on it. */
import type { Answer } from '../http/answer.ts';

/**
 * A request as its handler sees it, when its head has been read and its content not yet. Valid only during the call: the octets
 * belong to the engine, which reads the next request into them.
 */
export interface RequestView {
  /** Case-sensitive token (RFC 9110 §9.1). */
  readonly method: string;
  /** As it came, percent-encoding included; any of the four forms (RFC 9112 §3.2). */
  readonly target: string;
  /** 0 or 1. */
  readonly minorVersion: number;
}

/**
 * Gives the answer to a request, at once or later. Content is read and dropped by the engine before the answer is sent. To throw
 * (or to reject) costs the client a 500 and its connection, nothing else.
 */
export type Handler = (request: RequestView) => Answer | Promise<Answer>;
