/** What a connection to an upstream tells whoever uses it. */
import type { Buffer } from 'node:buffer';
import type { FailureReason } from './failures.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Whoever has sent a request, or is about to. */
export interface ConnectionUser {
  /** It stands, or is the user's at last: the request can be written. Never called from within a call of the user's. */
  onReady(connection: UpstreamConnection): void;
  /** A head in bytes[base, end), judged by `connection.parser`. */
  onInterim(bytes: Buffer, base: number, end: number): void;
  onHead(bytes: Buffer, base: number, end: number): void;
  /** A piece of content, valid during the call. */
  onContent(bytes: Buffer, start: number, end: number): void;
  onTrailers(bytes: Buffer, start: number, end: number): void;
  /** Everything that has arrived has been told. */
  onReadEnd(): void;
  /** The response is complete; the connection is no longer the user's. */
  onComplete(): void;
  /** After a head with 101: the user has to take the socket; `leftover` arrived behind the head. */
  onUpgrade(leftover: Buffer): void;
  /** A write that was pending is done. */
  onWritten(): void;
  /** The connection is closed, and no longer the user's. Never called from within a call of the user's. */
  onBroken(reason: FailureReason, detail: string): void;
}
