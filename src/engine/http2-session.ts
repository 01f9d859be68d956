/**
 * What the frames of one client of HTTP/2 mean (RFC 9113 §6), and what of them must not be. Owns what has been read of an unfinished
 * one; `http2-streams.ts` has the streams.
 */
import type { Buffer } from 'node:buffer';
import {
  DEFAULT_WINDOW,
  Flag,
  Frame,
  Http2Error,
  type Http2ErrorCode,
  MAX_PAYLOAD,
  MAX_WINDOW,
  Setting,
  uint31,
  uint32,
} from '../http2/frames.ts';
import { type FrameOwner, Http2Reader } from './http2-reader.ts';
import { STREAM_WINDOW } from './http2-stream.ts';
import { CONNECTION_WINDOW, Http2Streams, MAX_STREAMS, type SessionOwner } from './http2-streams.ts';
import type { EngineLimits } from './limits.ts';
import type { Transport, TransportSocket } from './transport.ts';

const MAX_SETTINGS = 32;

export class Http2Session extends Http2Streams implements FrameOwner {
  readonly #limits: EngineLimits;
  readonly #reader = new Http2Reader(this);
  #hasSettings = false;

  constructor(owner: SessionOwner, transport: Transport, socket: TransportSocket, limits: EngineLimits) {
    super(owner, transport, socket, limits);
    this.#limits = limits;
  }

  begin(): void {
    this.writer.putSettings([
      [Setting.maxConcurrentStreams, MAX_STREAMS],
      [Setting.initialWindowSize, STREAM_WINDOW],
      [Setting.maxHeaderListSize, this.#limits.maxHeaderSize],
    ]);
    this.writer.putWindowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW);
  }

  take(bytes: Buffer, length: number): void {
    this.#reader.take(bytes, length);
  }

  /** The last stream that is answered is the last one so far. */
  sayGoodbye(code: Http2ErrorCode): void {
    this.lastTaken = this.numbers.last;
    this.writer.putGoaway(this.numbers.last, code);
  }

  /** Looks whether a header section takes too long. */
  onTick(now: number): void {
    const { isOpen, startedAt } = this.section;
    if (isOpen && now >= startedAt + this.#limits.headerTimeoutMs) this.#fail(Http2Error.calm);
  }

  /** The connection is gone. */
  cutAll(): void {
    this.isOver = true;
    this.#reader.forget();
    for (const stream of this.streams.values()) stream.cut(Http2Error.cancel);
  }

  // ---- What frames say.

  onPrefaceInvalid(): void {
    this.isOver = true;
    this.owner.onSessionError(null);
  }

  onFrameTooLarge(): void {
    this.#fail(Http2Error.frameSize);
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    const code = this.#judge(type, flags, id, bytes, start, end);
    if (code !== Http2Error.none) this.#fail(code);
    return !this.isOver;
  }

  #judge(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (!this.#hasSettings && (type !== Frame.settings || (flags & Flag.ack) !== 0)) return Http2Error.protocol;
    // RFC 9113 §6.10: nothing comes between the pieces of a header section.
    const section = this.section;
    if (section.isOpen !== (type === Frame.continuation) || (section.isOpen && id !== section.stream))
      return Http2Error.protocol;
    switch (type) {
      case Frame.data:
        return this.onData(flags, id, bytes, start, end);
      case Frame.headers:
        return this.onHeaders(flags, id, bytes, start, end);
      case Frame.priority:
        return this.#onPriority(id, bytes, start, end);
      case Frame.rstStream:
        return this.onReset(id, bytes, start, end);
      case Frame.settings:
        return this.#onSettings(flags, id, bytes, start, end);
      case Frame.pushPromise:
        return Http2Error.protocol;
      case Frame.ping:
        return this.#onPing(flags, id, bytes, start, end);
      case Frame.goaway:
        if (id !== 0) return Http2Error.protocol;
        return end - start < 8 ? Http2Error.frameSize : Http2Error.none;
      case Frame.windowUpdate:
        return this.#onWindowUpdate(id, bytes, start, end);
      case Frame.continuation:
        return section.goOn(flags, bytes, start, end) || this.onSection();
      default:
        // RFC 9113 §4.1: extensions that we do not know.
        return this.chore();
    }
  }

  /** RFC 9113 §5.3.2: says nothing any more, but that a stream must not depend on itself. */
  #onPriority(id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id === 0) return Http2Error.protocol;
    if (end - start !== 5) return Http2Error.frameSize;
    if (uint31(bytes, start) === id) return Http2Error.protocol;
    return this.chore();
  }

  #onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id !== 0) return Http2Error.protocol;
    const length = end - start;
    if ((flags & Flag.ack) !== 0) return length === 0 ? this.chore() : Http2Error.frameSize;
    if (length % 6 !== 0) return Http2Error.frameSize;
    if (length > 6 * MAX_SETTINGS || this.chore() !== Http2Error.none) return Http2Error.calm;
    this.#hasSettings = true;
    for (let at = start; at < end; at += 6) {
      const setting = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const code = this.#set(setting, uint32(bytes, at + 2));
      if (code !== Http2Error.none) return code;
    }
    this.writer.putAcknowledgement();
    return Http2Error.none;
  }

  /** RFC 9113 §6.5.2. */
  #set(setting: number, value: number): Http2ErrorCode {
    switch (setting) {
      case Setting.enablePush:
        return value > 1 ? Http2Error.protocol : Http2Error.none;
      case Setting.maxFrameSize:
        return value < MAX_PAYLOAD || value > 0xffffff ? Http2Error.protocol : Http2Error.none;
      case Setting.initialWindowSize: {
        if (value > MAX_WINDOW) return Http2Error.flowControl;
        const change = value - this.initialWindow;
        this.initialWindow = value;
        // RFC 9113 §6.9.2: may make windows negative.
        for (const stream of this.streams.values()) if (!stream.widen(change)) return Http2Error.flowControl;
        if (change > 0) this.goOn();
        return Http2Error.none;
      }
      default:
        return Http2Error.none;
    }
  }

  #onPing(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id !== 0) return Http2Error.protocol;
    if (end - start !== 8) return Http2Error.frameSize;
    if ((flags & Flag.ack) === 0) this.writer.putPong(bytes, start);
    return this.chore();
  }

  #onWindowUpdate(id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (end - start !== 4) return Http2Error.frameSize;
    const increment = uint31(bytes, start);
    if (id === 0) {
      if (increment === 0) return Http2Error.protocol;
      this.sendWindow += increment;
      if (this.sendWindow > MAX_WINDOW) return Http2Error.flowControl;
      this.goOn();
      return Http2Error.none;
    }
    if (this.numbers.isIdle(id)) return Http2Error.protocol;
    const stream = this.streams.get(id);
    if (stream === undefined) return Http2Error.none;
    if (increment === 0) return this.resetForFault(stream, Http2Error.protocol);
    if (!stream.widen(increment)) return this.resetForFault(stream, Http2Error.flowControl);
    stream.goOn();
    return Http2Error.none;
  }

  #fail(code: Http2ErrorCode): void {
    if (this.isOver) return;
    this.isOver = true;
    this.owner.onSessionError(code);
  }
}
