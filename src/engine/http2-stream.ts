/**
 * One stream of HTTP/2 (RFC 9113 §5): content both ways, each within its window. Owns what waits to be sent, and what has come and
 * nobody wants yet.
 */
import { Buffer } from 'node:buffer';
import { Http2Error, type Http2ErrorCode, MAX_PAYLOAD, MAX_WINDOW } from '../http2/frames.ts';
import { encodeFields } from '../http2/hpack-encoder.ts';
import type { PreparedAnswer } from './http2-answers.ts';
import type { RawFields, ResponseFields } from './http2-fields.ts';
import type { Http2Writer } from './http2-writer.ts';
import { keepPiece } from './pieces.ts';
import type { RequestStream, StreamListener } from './request-stream.ts';

/** Content that a client may send to one stream before somebody wants it. */
export const STREAM_WINDOW: number = 256 * 1024;

const NOTHING = Buffer.alloc(0);

/** What a stream needs of its connection. */
export interface StreamSession {
  readonly writer: Http2Writer;
  /** What may be sent on all streams together. */
  sendWindow: number;
  /** Something was put, or a stream has ended: to be seen to when the present call is over. */
  touch(): void;
  /** Writes at once what was put; false: the kernel has not taken it, and nothing more must be put. */
  makeRoom(): boolean;
  /** Content has been used: the client may send as much again. */
  credit(bytes: number): void;
  /** It is over. `isOurs`: we have cut it off. */
  onStreamOver(stream: Http2Stream, isOurs: boolean): void;
}

export class Http2Stream implements RequestStream {
  listener: StreamListener | null = null;
  readonly id: number;
  readonly endAfterHeaders: boolean;
  destroyed = false;
  readableEnded: boolean;
  rstCode: number = Http2Error.none;
  sendWindow: number;
  trailers: RawFields | null = null;
  readonly #session: StreamSession;
  /** Content to be sent … */
  readonly #queue: Buffer[] = [];
  /** … of which this much of the first piece has been. */
  #sentOfFirst = 0;
  #queuedBytes = 0;
  /** The answer ends with what is queued … */
  #isEnding = false;
  /** … and these. */
  #trailersToSend: ResponseFields | null = null;
  #hasSentEnd = false;
  /** The client is to be told that its content is not needed, once the answer has been sent. */
  #isDeclining = false;
  #isDrainAwaited = false;
  #isReceived: boolean;
  #receiveWindow = STREAM_WINDOW;
  #uncredited = 0;
  /** As Content-Length says; Infinity: it does not. */
  #contentLeft: number;
  #isFlowing = false;
  #isDelivering = false;
  readonly #held: Buffer[] = [];

  constructor(session: StreamSession, id: number, sendWindow: number, isReceived: boolean, contentLength: number) {
    this.#session = session;
    this.id = id;
    this.sendWindow = sendWindow;
    this.endAfterHeaders = isReceived;
    this.readableEnded = isReceived;
    this.#isReceived = isReceived;
    this.#contentLeft = contentLength < 0 ? Number.POSITIVE_INFINITY : contentLength;
  }

  get writableNeedDrain(): boolean {
    return this.#queuedBytes > 0 || this.#session.writer.isPending;
  }

  get bufferSize(): number {
    return this.#queuedBytes;
  }

  /** The client has said that its side is at an end. */
  get isReceived(): boolean {
    return this.#isReceived;
  }

  // ---- The answer.

  respond(fields: ResponseFields, isEnd: boolean, kept: PreparedAnswer | null): void {
    if (this.destroyed) return;
    let section = kept?.section ?? null;
    if (section === null) {
      section = encodeFields(fields);
      if (kept !== null) kept.section = section;
    }
    this.#session.writer.putHeaders(this.id, section, isEnd);
    if (isEnd) this.#sentEnd();
    this.#session.touch();
  }

  additionalHeaders(fields: Record<string, number | string[]>): void {
    if (this.destroyed) return;
    const flat = Object.entries(fields).flatMap(([name, value]) =>
      typeof value === 'number' ? [name, value] : value.flatMap((one) => [name, one]),
    );
    this.#session.writer.putHeaders(this.id, encodeFields(flat), false);
    this.#session.touch();
  }

  write(bytes: Buffer): boolean {
    if (this.destroyed) return true;
    this.#push(bytes);
    this.send();
    const last = this.#queue.length - 1;
    if (last >= 0) {
      const unsent = last === 0 ? bytes.subarray(this.#sentOfFirst) : bytes;
      if (last === 0) this.#sentOfFirst = 0;
      this.#queue[last] = Buffer.from(unsent);
    }
    this.#isDrainAwaited = this.writableNeedDrain;
    this.#session.touch();
    return !this.#isDrainAwaited;
  }

  end(bytes: Buffer = NOTHING): void {
    if (this.destroyed || this.#isEnding) return;
    this.#isEnding = true;
    if (bytes.length > 0) this.#push(bytes);
    this.send();
    this.#session.touch();
  }

  endWith(trailers: ResponseFields): void {
    this.#trailersToSend = trailers;
    this.end();
  }

  close(code: number): void {
    if (this.destroyed) return;
    if (code === Http2Error.none && !this.#hasSentEnd) {
      this.#isDeclining = true;
      this.pause();
      return;
    }
    this.rstCode = code;
    this.#session.writer.putReset(this.id, code);
    this.#end(true);
  }

  // ---- The client.

  /** A frame with bytes[start, end) of content, that counts as `size`. Returns why the stream must be reset, or `none`. */
  take(bytes: Buffer, start: number, end: number, size: number): Http2ErrorCode {
    const length = end - start;
    if (this.#isReceived) return Http2Error.streamClosed;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) return Http2Error.flowControl;
    this.#contentLeft -= length;
    if (this.#contentLeft < 0) return Http2Error.protocol;
    this.#credit(size - length);
    if (this.#isDeclining) this.#session.credit(length);
    else if (length > 0) this.#receive(bytes, start, end);
    return Http2Error.none;
  }

  takeEnd(): Http2ErrorCode {
    if (this.#contentLeft > 0 && this.#contentLeft !== Number.POSITIVE_INFINITY) return Http2Error.protocol;
    this.#isReceived = true;
    this.#deliverEnd();
    this.#endIfDone();
    return Http2Error.none;
  }

  /** The client has cut it off, or the connection is gone. */
  cut(code: number): void {
    if (this.destroyed) return;
    this.rstCode = code === Http2Error.none ? Http2Error.cancel : code;
    this.#end(false);
  }

  /** False: the window is beyond its limit (RFC 9113 §6.9.1). */
  widen(increment: number): boolean {
    this.sendWindow += increment;
    return this.sendWindow <= MAX_WINDOW;
  }

  pause(): void {
    this.#isFlowing = false;
  }

  resume(): void {
    if (this.destroyed) return;
    this.#isFlowing = true;
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#isFlowing && !this.destroyed) {
      const piece = this.#held.shift();
      if (piece === undefined) break;
      this.#credit(piece.length);
      this.listener?.onContent(piece);
    }
    this.#isDelivering = false;
    this.#deliverEnd();
  }

  /** Sends as much as both windows and the kernel allow. */
  send(): void {
    const session = this.#session;
    const queue = this.#queue;
    while (queue.length > 0 && !this.destroyed) {
      if (!session.makeRoom()) return;
      const piece = queue[0] as Buffer;
      const from = this.#sentOfFirst;
      const count = Math.min(piece.length - from, MAX_PAYLOAD, this.sendWindow, session.sendWindow);
      if (count <= 0) return;
      const isPieceDone = from + count === piece.length;
      const isEnd = isPieceDone && this.#isEnding && queue.length === 1 && this.#trailersToSend === null;
      session.writer.putData(this.id, piece, from, from + count, isEnd);
      this.sendWindow -= count;
      session.sendWindow -= count;
      this.#queuedBytes -= count;
      this.#sentOfFirst = isPieceDone ? 0 : from + count;
      if (isPieceDone) queue.shift();
      if (isEnd) this.#sentEnd();
    }
    if (!this.#isEnding || this.#hasSentEnd || this.destroyed) return;
    if (this.#trailersToSend === null) session.writer.putData(this.id, NOTHING, 0, 0, true);
    else session.writer.putHeaders(this.id, encodeFields(this.#trailersToSend), true);
    this.#sentEnd();
  }

  /** The kernel, or the client by its windows, takes more again. */
  goOn(): void {
    this.send();
    if (!this.#isDrainAwaited || this.writableNeedDrain || this.destroyed) return;
    this.#isDrainAwaited = false;
    this.listener?.onDrained();
  }

  #push(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  #receive(bytes: Buffer, start: number, end: number): void {
    if (this.#isFlowing && this.#held.length === 0) {
      this.#credit(end - start);
      this.listener?.onContent(bytes.subarray(start, end));
    } else {
      keepPiece(this.#held, bytes, start, end);
    }
  }

  #credit(bytes: number): void {
    if (bytes === 0) return;
    this.#session.credit(bytes);
    if (this.#isReceived) return;
    this.#uncredited += bytes;
    if (2 * this.#uncredited < STREAM_WINDOW) return;
    this.#session.writer.putWindowUpdate(this.id, this.#uncredited);
    this.#receiveWindow += this.#uncredited;
    this.#uncredited = 0;
    this.#session.touch();
  }

  #deliverEnd(): void {
    if (!this.#isReceived || this.readableEnded || !this.#isFlowing || this.#held.length > 0 || this.#isDelivering)
      return;
    this.readableEnded = true;
    this.listener?.onContentEnd();
  }

  #sentEnd(): void {
    this.#hasSentEnd = true;
    if (this.#isDeclining && !this.#isReceived) this.close(Http2Error.none);
    else this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#hasSentEnd && this.#isReceived && !this.destroyed) this.#end(false);
  }

  #end(isOurs: boolean): void {
    this.destroyed = true;
    let unused = 0;
    for (const piece of this.#held) unused += piece.length;
    this.#held.length = 0;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    if (unused > 0) this.#session.credit(unused);
    this.#session.onStreamOver(this, isOurs);
  }
}
