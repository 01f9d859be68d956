/**
 * The streams of one client of HTTP/2 (RFC 9113 §5): begun by header sections, fed by content, cut off by either side; what all of
 * them may send and receive together, and what a client may not do to them. Owns them, and what waits to be written.
 * `http2-session.ts` adds what concerns the connection: a layer of the same object, because they share its windows and numbers.
 */
import type { Buffer } from 'node:buffer';
import { DEFAULT_WINDOW, Flag, Http2Error, type Http2ErrorCode, uint32 } from '../http2/frames.ts';
import { areTrailers, isRequest } from '../http2/request-rules.ts';
import { Allowance, type Rate, RESETS } from './allowance.ts';
import { StreamNumbers } from './http2-numbers.ts';
import { Http2Section } from './http2-section.ts';
import { Http2Stream, type StreamSession } from './http2-stream.ts';
import { Http2Writer } from './http2-writer.ts';
import type { EngineLimits } from './limits.ts';
import type { Transport, TransportSocket } from './transport.ts';

export const MAX_STREAMS = 100;
/** Content of all streams that a client may send before somebody wants it. */
export const CONNECTION_WINDOW: number = 1024 * 1024;
/** Frames that cost more than they say: pings, settings, priorities, content of no bytes. */
const CHORES: Rate = { burst: 1000, perSecond: 200 };

export interface SessionOwner {
  /** On the engine's clock. */
  readonly now: number;
  onRequest(stream: Http2Stream, fields: readonly string[]): void;
  onStreamOver(stream: Http2Stream): void;
  /** The connection has to end; with GOAWAY, unless `code` is null. */
  onSessionError(code: Http2ErrorCode | null): void;
  touch(): void;
  makeRoom(): boolean;
}

export abstract class Http2Streams implements StreamSession {
  readonly writer: Http2Writer;
  sendWindow = DEFAULT_WINDOW;
  protected readonly owner: SessionOwner;
  protected readonly section: Http2Section;
  protected readonly streams = new Map<number, Http2Stream>();
  protected readonly numbers = new StreamNumbers();
  /** After GOAWAY: later streams are ignored. */
  protected lastTaken = Number.POSITIVE_INFINITY;
  protected isOver = false;
  /** Of the client's streams, for our answers. */
  protected initialWindow = DEFAULT_WINDOW;
  #receiveWindow = CONNECTION_WINDOW;
  #uncredited = 0;
  readonly #resets: Allowance;
  readonly #chores: Allowance;
  readonly #form = { contentLength: -1 };

  constructor(owner: SessionOwner, transport: Transport, socket: TransportSocket, limits: EngineLimits) {
    this.owner = owner;
    this.writer = new Http2Writer(transport, socket);
    this.section = new Http2Section(limits);
    this.#resets = new Allowance(RESETS, owner.now);
    this.#chores = new Allowance(CHORES, owner.now);
  }

  /** The kernel has taken everything. */
  goOn(): void {
    for (const stream of this.streams.values()) stream.goOn();
  }

  touch(): void {
    this.owner.touch();
  }

  makeRoom(): boolean {
    return this.owner.makeRoom();
  }

  credit(bytes: number): void {
    this.#uncredited += bytes;
    if (2 * this.#uncredited < CONNECTION_WINDOW || this.isOver) return;
    this.writer.putWindowUpdate(0, this.#uncredited);
    this.#receiveWindow += this.#uncredited;
    this.#uncredited = 0;
    this.owner.touch();
  }

  onStreamOver(stream: Http2Stream, isOurs: boolean): void {
    this.streams.delete(stream.id);
    if (isOurs) this.numbers.cut(stream.id);
    this.owner.onStreamOver(stream);
  }

  protected onData(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (this.numbers.isIdle(id)) return Http2Error.protocol;
    const size = end - start;
    const isEnd = (flags & Flag.endStream) !== 0;
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (size === 0) return Http2Error.frameSize;
      const padding = bytes[start] as number;
      if (padding >= size) return Http2Error.protocol;
      from++;
      to -= padding;
    }
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) return Http2Error.flowControl;
    const stream = this.streams.get(id);
    if (stream === undefined) {
      this.credit(size);
      return this.#onLate(id);
    }
    if (from === to && !isEnd && this.chore() !== Http2Error.none) return Http2Error.calm;
    const code = stream.take(bytes, from, to, size);
    if (code !== Http2Error.none) {
      this.credit(size);
      return this.resetForFault(stream, code);
    }
    return isEnd ? this.#endContent(stream) : code;
  }

  protected onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id % 2 === 0) return Http2Error.protocol;
    return this.section.begin(flags, id, bytes, start, end, this.owner.now) || this.onSection();
  }

  /** A header section, if it is complete. */
  protected onSection(): Http2ErrorCode {
    const { isOpen, stream: id } = this.section;
    if (isOpen) return Http2Error.none;
    const numbers = this.numbers;
    const stream = this.streams.get(id);
    if (stream !== undefined) return this.#onTrailers(stream);
    if (!numbers.isIdle(id)) {
      if (numbers.isSkipped(id)) return Http2Error.protocol;
      // RFC 9113 §5.1: what comes for a stream that was reset is ignored.
      return numbers.isCut(id) ? this.chore() : Http2Error.streamClosed;
    }
    numbers.use(id);
    return id > this.lastTaken ? Http2Error.none : this.#open(id);
  }

  #open(id: number): Http2ErrorCode {
    const { fields, isEnd } = this.section;
    const form = this.#form;
    const code = this.#faultOfRequest();
    if (code !== Http2Error.none) {
      this.writer.putReset(id, code);
      this.numbers.cut(id);
      return this.#countReset();
    }
    const stream = new Http2Stream(this, id, this.initialWindow, isEnd, form.contentLength);
    this.streams.set(id, stream);
    this.owner.onRequest(stream, fields);
    return Http2Error.none;
  }

  #faultOfRequest(): Http2ErrorCode {
    const { fields, isEnd, isTooLarge, isSelfDependent } = this.section;
    if (this.streams.size >= MAX_STREAMS) return Http2Error.refusedStream;
    if (isTooLarge) return Http2Error.calm;
    const form = this.#form;
    if (!isRequest(fields, form) || isSelfDependent) return Http2Error.protocol;
    return isEnd && form.contentLength > 0 ? Http2Error.protocol : Http2Error.none;
  }

  #onTrailers(stream: Http2Stream): Http2ErrorCode {
    const { fields, isEnd, isTooLarge } = this.section;
    if (stream.isReceived) return this.resetForFault(stream, Http2Error.streamClosed);
    if (!isEnd || isTooLarge || !areTrailers(fields)) return this.resetForFault(stream, Http2Error.protocol);
    stream.trailers = fields;
    return this.#endContent(stream);
  }

  #endContent(stream: Http2Stream): Http2ErrorCode {
    if (stream.destroyed) return Http2Error.none;
    const code = stream.takeEnd();
    return code === Http2Error.none ? code : this.resetForFault(stream, code);
  }

  protected onReset(id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (end - start !== 4) return Http2Error.frameSize;
    if (this.numbers.isIdle(id)) return Http2Error.protocol;
    const stream = this.streams.get(id);
    if (stream === undefined) return this.chore();
    stream.cut(uint32(bytes, start));
    return this.#countReset();
  }

  /** Content for a stream that is over. */
  #onLate(id: number): Http2ErrorCode {
    if (this.numbers.isCut(id) || id > this.lastTaken) return this.chore();
    this.writer.putReset(id, Http2Error.streamClosed);
    this.numbers.cut(id);
    return this.#countReset();
  }

  protected resetForFault(stream: Http2Stream, code: Http2ErrorCode): Http2ErrorCode {
    stream.close(code);
    return this.#countReset();
  }

  #countReset(): Http2ErrorCode {
    return this.#resets.take(this.owner.now) ? Http2Error.none : Http2Error.calm;
  }

  protected chore(): Http2ErrorCode {
    return this.#chores.take(this.owner.now) ? Http2Error.none : Http2Error.calm;
  }
}
