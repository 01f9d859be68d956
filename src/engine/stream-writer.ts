/**
 * One streamed answer in progress: takes pieces from its source, frames them, and asks for the next when the kernel has taken the
 * last. Owns the source: it is ended with the answer, whatever happens.
 */
import { Buffer } from 'node:buffer';
import { asBuffer } from '../http/as-buffer.ts';
import type { Output } from './output.ts';
import type { Content, Sink, StreamReply } from './stream-reply.ts';

/** How content in pieces is framed (RFC 9112 §6.3). */
export const Framing = { length: 0, chunked: 1, close: 2 } as const;
export type FramingValue = (typeof Framing)[keyof typeof Framing];

/**
 * A source whose pieces are always there, and a client that takes them as fast, would keep the event loop from everybody else: after so
 * many pieces in a row the others have their turn.
 */
const PIECES_IN_A_ROW = 32;

/** An answer that is on its way, in pieces. */
export interface AnswerWriter {
  readonly framing: FramingValue;
  /** Bytes of content that were output so far. */
  readonly bytes: number;
  /** The kernel has taken everything. */
  onDrained(): void;
  /** The client is gone or time is up. */
  abort(error: Error): void;
}

/** What a writer needs from its connection. */
export interface StreamHost {
  readonly output: Pick<Output, 'pushCopy' | 'pushLatin1'>;
  /** Sends the output; true if the kernel took all of it, or will get it soon. */
  flushContent(): boolean;
  makeSignal(): AbortSignal;
  /** Everything has been output; `error` is null, or says why the answer must not look complete. */
  onStreamEnd(writer: AnswerWriter, error: unknown): void;
}

/** HTTP/1.0 has no chunks: only the end of the connection ends content of unknown length. */
export function framingOf(length: number | null, minorVersion: number): FramingValue {
  if (length !== null) return Framing.length;
  return minorVersion === 0 ? Framing.close : Framing.chunked;
}

/** The field line that says how content is framed. */
export function framingField(framing: FramingValue, length: number | null): string {
  switch (framing) {
    case Framing.length:
      return `Content-Length: ${length}\r\n`;
    case Framing.chunked:
      return 'Transfer-Encoding: chunked\r\n';
    case Framing.close:
      return '';
  }
}

export class StreamWriter implements Sink, AnswerWriter {
  readonly framing: FramingValue;
  /** Bytes of content that were output so far. */
  bytes = 0;
  readonly #host: StreamHost;
  /** Bytes still to come, as promised. */
  #remaining: number;
  #isOver = false;
  #error: Error | null = null;
  /** Resolves when the kernel has taken what was written. */
  #drained: PromiseWithResolvers<void> | null = null;
  /** Pieces taken at once since something was waited for. */
  #inARow = 0;
  /** Owned: ends an iterated source. */
  #cancel: (() => void) | null = null;

  constructor(host: StreamHost, framing: FramingValue, length: number | null) {
    this.#host = host;
    this.framing = framing;
    this.#remaining = length ?? Number.POSITIVE_INFINITY;
  }

  get signal(): AbortSignal {
    return this.#host.makeSignal();
  }

  /** Runs the source. May call onStreamEnd before it returns. */
  run({ source }: StreamReply): void {
    let work: void | Promise<void>;
    try {
      if (typeof source === 'function') work = source(this);
      else work = 'getReader' in source ? this.#read(source) : this.#iterate(source);
    } catch (error) {
      this.#end(error ?? new Error('the source of the stream failed'));
      return;
    }
    if (work === undefined) this.#end(null);
    else
      work.then(
        () => this.#end(null),
        (error) => this.#end(error ?? new Error('the source of the stream failed')),
      );
  }

  write(piece: Content): true | Promise<void> {
    if (this.#error !== null) return this.#refused(this.#error);
    if (this.#isOver) return this.#refused(new Error('a stream must not be written to after its end'));
    const isAscii = typeof piece === 'string' && Buffer.byteLength(piece, 'utf8') === piece.length;
    const data = isAscii ? piece : typeof piece === 'string' ? Buffer.from(piece, 'utf8') : asBuffer(piece);
    if (data.length === 0) return true;
    this.#remaining -= data.length;
    if (this.#remaining < 0) {
      const error = new RangeError('a stream must not be longer than the length it was given');
      this.#end(error);
      return this.#refused(error);
    }
    this.#put(data);
    if (this.#host.flushContent()) return true;
    if (this.#error !== null) return this.#refused(this.#error);
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /** The kernel has taken everything. */
  onDrained(): void {
    const drained = this.#drained;
    this.#drained = null;
    drained?.resolve();
  }

  /** The client is gone or time is up: ends the source. */
  abort(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    const drained = this.#drained;
    this.#drained = null;
    if (drained !== null) {
      // The promise may have no observer.
      drained.promise.catch(ignore);
      drained.reject(error);
    }
    this.#cancel?.();
  }

  /** Text is ASCII. */
  #put(data: string | Buffer): void {
    const { output } = this.#host;
    const isChunked = this.framing === Framing.chunked;
    this.bytes += data.length;
    if (typeof data === 'string') {
      output.pushLatin1(isChunked ? `${data.length.toString(16)}\r\n${data}\r\n` : data);
      return;
    }
    if (isChunked) output.pushLatin1(`${data.length.toString(16)}\r\n`);
    output.pushCopy(data);
    if (isChunked) output.pushLatin1('\r\n');
  }

  #refused(error: Error): Promise<void> {
    const refused = Promise.reject(error);
    refused.catch(ignore);
    return refused;
  }

  /** Not by its iterator, which would be ended only after the next piece, and a source may stall. */
  async #read(source: ReadableStream<Content>): Promise<void> {
    const reader = source.getReader();
    this.#cancel = () => void reader.cancel(this.#error).catch(ignore);
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#isOver) break;
      const passed = this.#pass(value);
      if (passed !== null) await passed;
    }
    this.#cancel = null;
  }

  async #iterate(source: AsyncIterable<Content>): Promise<void> {
    const iterator = source[Symbol.asyncIterator]();
    this.#cancel = () => void Promise.resolve(iterator.return?.()).catch(ignore);
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true || this.#isOver) break;
      const passed = this.#pass(value);
      if (passed !== null) await passed;
    }
    this.#cancel = null;
  }

  /** Null: the next piece can follow at once. */
  #pass(piece: Content): Promise<void> | null {
    const taken = this.write(piece);
    if (taken === true && ++this.#inARow < PIECES_IN_A_ROW) return null;
    this.#inARow = 0;
    return taken === true ? new Promise((resolve) => setImmediate(resolve)) : taken;
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#cancel?.();
    }
    if (error === null && this.#remaining > 0 && this.framing === Framing.length) {
      const message = `a stream must be as long as it said: ${this.#remaining} bytes are missing`;
      this.#host.onStreamEnd(this, new RangeError(message));
      return;
    }
    if (error === null && this.framing === Framing.chunked) this.#host.output.pushLatin1('0\r\n\r\n');
    this.#host.onStreamEnd(this, error);
  }
}

function ignore(): void {}
