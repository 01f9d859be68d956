/** What an exchange needs of its stream: a `ServerHttp2Stream` of `node:http2` has it, and so has a stream of HTTP/3. */
import type { Buffer } from 'node:buffer';
import type { ResponseFields } from './http2-fields.ts';

export interface RequestStream {
  /** There is no content. */
  readonly endAfterHeaders: boolean;
  readonly destroyed: boolean;
  readonly closed: boolean;
  readonly readableEnded: boolean;
  readonly writableNeedDrain: boolean;
  /** Bytes that wait to be sent. */
  readonly bufferSize: number;
  /** How it ended: `Reset.noError` if nothing was cut off. */
  readonly rstCode?: number | undefined;
  respond(fields: ResponseFields, options?: { readonly endStream: boolean }): void;
  additionalHeaders(fields: Record<string, number | string[]>): void;
  write(bytes: Buffer): boolean;
  end(bytes?: Buffer): void;
  /** Resets it; `Reset.noError` asks the client for no more content. */
  close(code: number): void;
  pause(): void;
  resume(): void;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'end' | 'drain', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  removeAllListeners(event: 'data'): unknown;
}
