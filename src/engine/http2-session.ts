/**
 * What the frames of one client mean (RFC 9113): streams, windows, settings, and what a client may not do. Owns the streams, the
 * state of header compression, and what waits to be written.
 */
import { Buffer } from 'node:buffer';
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
import { HpackDecoder } from '../http2/hpack-decoder.ts';
import { areTrailers, isRequest } from '../http2/request-rules.ts';
import { type FrameOwner, Http2Reader } from './http2-reader.ts';
import { Http2Stream, STREAM_WINDOW, type StreamSession } from './http2-stream.ts';
import { Http2Writer } from './http2-writer.ts';
import type { EngineLimits } from './limits.ts';
import type { Transport, TransportSocket } from './transport.ts';

const MAX_STREAMS = 100;
/** Content of all streams that a client may send before somebody wants it. */
const CONNECTION_WINDOW = 1024 * 1024;
/** Streams that may be cut off by a client or for its faults at once, and then per second; beyond it, the connection ends (CVE-2023-44487). */
const RESETS = { burst: 200, perSecond: 33 };
/** Frames that cost more than they say: pings, settings, priorities, content of no bytes. */
const CHORES = { burst: 1000, perSecond: 200 };
/** CVE-2024-27316. */
const MAX_CONTINUATIONS = 32;
const MAX_SETTINGS = 32;
/** Fields that are no fields of HTTP/1: method, scheme, authority, path. */
const PSEUDO_FIELDS = 4;
const MAX_REMEMBERED = 128;

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

export class Http2Session implements FrameOwner, StreamSession {
  readonly writer: Http2Writer;
  sendWindow = DEFAULT_WINDOW;
  readonly #owner: SessionOwner;
  readonly #limits: EngineLimits;
  readonly #reader = new Http2Reader(this);
  readonly #decoder: HpackDecoder;
  readonly #streams = new Map<number, Http2Stream>();
  /** The highest number of a client's stream. */
  #lastStream = 0;
  /** Numbers below it that were left out … */
  readonly #skipped = new Set<number>();
  /** … and those of streams that we have cut off: what is still on its way for them is ignored. */
  readonly #cut = new Set<number>();
  /** After GOAWAY: later streams are ignored. */
  #lastTaken = Number.POSITIVE_INFINITY;
  #hasSettings = false;
  #isOver = false;
  /** Of the client's streams, for our answers. */
  #initialWindow = DEFAULT_WINDOW;
  #receiveWindow = CONNECTION_WINDOW;
  #uncredited = 0;
  readonly #resets = new Allowance(RESETS);
  readonly #chores = new Allowance(CHORES);

  // A header section that comes in pieces.
  #sectionStream = 0;
  #sectionFlags = 0;
  #isSelfDependent = false;
  #section: Buffer[] = [];
  #sectionLength = 0;
  #continuations = 0;
  #sectionStart = 0;
  readonly #form = { contentLength: -1 };

  constructor(owner: SessionOwner, transport: Transport, socket: TransportSocket, limits: EngineLimits) {
    this.#owner = owner;
    this.#limits = limits;
    this.writer = new Http2Writer(transport, socket);
    const maxCount = limits.maxHeaderCount + PSEUDO_FIELDS;
    this.#decoder = new HpackDecoder({ maxSize: limits.maxHeaderSize, maxCount });
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
    this.#lastTaken = this.#lastStream;
    this.writer.putGoaway(this.#lastStream, code);
  }

  /** Looks whether a header section takes too long. */
  onTick(now: number): void {
    if (this.#sectionStream > 0 && now >= this.#sectionStart + this.#limits.headerTimeoutMs)
      this.#fail(Http2Error.calm);
  }

  /** The kernel has taken everything. */
  goOn(): void {
    for (const stream of this.#streams.values()) stream.goOn();
  }

  /** The connection is gone. */
  cutAll(): void {
    this.#isOver = true;
    this.#reader.forget();
    for (const stream of this.#streams.values()) stream.cut(Http2Error.cancel);
  }

  // ---- What streams need.

  touch(): void {
    this.#owner.touch();
  }

  makeRoom(): boolean {
    return this.#owner.makeRoom();
  }

  credit(bytes: number): void {
    this.#uncredited += bytes;
    if (2 * this.#uncredited < CONNECTION_WINDOW || this.#isOver) return;
    this.writer.putWindowUpdate(0, this.#uncredited);
    this.#receiveWindow += this.#uncredited;
    this.#uncredited = 0;
    this.#owner.touch();
  }

  onStreamOver(stream: Http2Stream, isOurs: boolean): void {
    this.#streams.delete(stream.id);
    if (isOurs) remember(this.#cut, stream.id);
    this.#owner.onStreamOver(stream);
  }

  // ---- What frames say.

  onPrefaceInvalid(): void {
    this.#isOver = true;
    this.#owner.onSessionError(null);
  }

  onFrameTooLarge(): void {
    this.#fail(Http2Error.frameSize);
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    const code = this.#judge(type, flags, id, bytes, start, end);
    if (code !== Http2Error.none) this.#fail(code);
    return !this.#isOver;
  }

  #judge(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (!this.#hasSettings && (type !== Frame.settings || (flags & Flag.ack) !== 0)) return Http2Error.protocol;
    // RFC 9113 §6.10: nothing comes between the pieces of a header section.
    if (this.#sectionStream > 0 && (type !== Frame.continuation || id !== this.#sectionStream))
      return Http2Error.protocol;
    switch (type) {
      case Frame.data:
        return this.#onData(flags, id, bytes, start, end);
      case Frame.headers:
        return this.#onHeaders(flags, id, bytes, start, end);
      case Frame.priority:
        return this.#onPriority(id, bytes, start, end);
      case Frame.rstStream:
        return this.#onReset(id, bytes, start, end);
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
        return this.#onContinuation(flags, bytes, start, end);
      default:
        // RFC 9113 §4.1: extensions that we do not know.
        return this.#chore();
    }
  }

  #onData(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (this.#isIdle(id)) return Http2Error.protocol;
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
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.credit(size);
      return this.#onLate(id);
    }
    if (from === to && !isEnd && this.#chore() !== Http2Error.none) return Http2Error.calm;
    const code = stream.take(bytes, from, to, size);
    if (code !== Http2Error.none) {
      this.credit(size);
      return this.#resetForFault(stream, code);
    }
    return isEnd ? this.#endContent(stream) : code;
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id === 0 || id % 2 === 0) return Http2Error.protocol;
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from === to) return Http2Error.frameSize;
      to -= bytes[from++] as number;
    }
    this.#isSelfDependent = false;
    if ((flags & Flag.priority) !== 0) {
      if (to - from < 5) return to < from ? Http2Error.protocol : Http2Error.frameSize;
      this.#isSelfDependent = uint31(bytes, from) === id;
      from += 5;
    }
    if (to < from) return Http2Error.protocol;
    this.#sectionFlags = flags;
    if ((flags & Flag.endHeaders) !== 0) return this.#onSection(id, bytes, from, to);
    this.#sectionStream = id;
    this.#sectionStart = this.#owner.now;
    this.#continuations = 0;
    this.#sectionLength = 0;
    return this.#keepSection(bytes, from, to);
  }

  #onContinuation(flags: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    const id = this.#sectionStream;
    if (id === 0) return Http2Error.protocol;
    if (++this.#continuations > MAX_CONTINUATIONS) return Http2Error.calm;
    const code = this.#keepSection(bytes, start, end);
    if (code !== Http2Error.none || (flags & Flag.endHeaders) === 0) return code;
    const section = Buffer.concat(this.#section);
    this.#section = [];
    this.#sectionStream = 0;
    return this.#onSection(id, section, 0, section.length);
  }

  #keepSection(bytes: Buffer, start: number, end: number): Http2ErrorCode {
    this.#sectionLength += end - start;
    if (this.#sectionLength > this.#limits.maxHeaderSize + MAX_PAYLOAD) return Http2Error.calm;
    this.#section.push(Buffer.from(bytes.subarray(start, end)));
    return Http2Error.none;
  }

  #onSection(id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (!this.#decoder.read(bytes, start, end)) return Http2Error.compression;
    const isEnd = (this.#sectionFlags & Flag.endStream) !== 0;
    const stream = this.#streams.get(id);
    if (stream !== undefined) return this.#onTrailers(stream, isEnd);
    if (id <= this.#lastStream) {
      if (this.#skipped.has(id)) return Http2Error.protocol;
      // RFC 9113 §5.1: what comes for a stream that was reset is ignored.
      return this.#cut.has(id) ? this.#chore() : Http2Error.streamClosed;
    }
    for (let skipped = this.#lastStream + 2 - ((this.#lastStream + 1) % 2); skipped < id; skipped += 2) {
      if (this.#skipped.size >= MAX_REMEMBERED) break;
      this.#skipped.add(skipped);
    }
    this.#lastStream = id;
    if (id > this.#lastTaken) return Http2Error.none;
    return this.#open(id, isEnd);
  }

  #open(id: number, isEnd: boolean): Http2ErrorCode {
    const { fields, isTooLarge } = this.#decoder;
    const form = this.#form;
    let code: Http2ErrorCode = Http2Error.none;
    if (this.#streams.size >= MAX_STREAMS) code = Http2Error.refusedStream;
    else if (isTooLarge) code = Http2Error.calm;
    else if (!isRequest(fields, form) || this.#isSelfDependent) code = Http2Error.protocol;
    else if (isEnd && form.contentLength > 0) code = Http2Error.protocol;
    if (code !== Http2Error.none) {
      this.writer.putReset(id, code);
      remember(this.#cut, id);
      return this.#countReset();
    }
    const stream = new Http2Stream(this, id, this.#initialWindow, isEnd, form.contentLength);
    this.#streams.set(id, stream);
    this.#owner.onRequest(stream, fields);
    return Http2Error.none;
  }

  #onTrailers(stream: Http2Stream, isEnd: boolean): Http2ErrorCode {
    if (stream.isReceived) return this.#resetForFault(stream, Http2Error.streamClosed);
    if (!isEnd || this.#decoder.isTooLarge || !areTrailers(this.#decoder.fields))
      return this.#resetForFault(stream, Http2Error.protocol);
    return this.#endContent(stream);
  }

  #endContent(stream: Http2Stream): Http2ErrorCode {
    if (stream.destroyed) return Http2Error.none;
    const code = stream.takeEnd();
    return code === Http2Error.none ? code : this.#resetForFault(stream, code);
  }

  /** RFC 9113 §5.3.2: says nothing any more, but that a stream must not depend on itself. */
  #onPriority(id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id === 0) return Http2Error.protocol;
    if (end - start !== 5) return Http2Error.frameSize;
    if (uint31(bytes, start) === id) return Http2Error.protocol;
    return this.#chore();
  }

  #onReset(id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (end - start !== 4) return Http2Error.frameSize;
    if (this.#isIdle(id)) return Http2Error.protocol;
    const stream = this.#streams.get(id);
    if (stream === undefined) return this.#chore();
    stream.cut(uint32(bytes, start));
    return this.#countReset();
  }

  #onSettings(flags: number, id: number, bytes: Buffer, start: number, end: number): Http2ErrorCode {
    if (id !== 0) return Http2Error.protocol;
    const length = end - start;
    if ((flags & Flag.ack) !== 0) return length === 0 ? this.#chore() : Http2Error.frameSize;
    if (length % 6 !== 0) return Http2Error.frameSize;
    if (length > 6 * MAX_SETTINGS || this.#chore() !== Http2Error.none) return Http2Error.calm;
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
        const change = value - this.#initialWindow;
        this.#initialWindow = value;
        // RFC 9113 §6.9.2: may make windows negative.
        for (const stream of this.#streams.values()) if (!stream.widen(change)) return Http2Error.flowControl;
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
    return this.#chore();
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
    if (this.#isIdle(id)) return Http2Error.protocol;
    const stream = this.#streams.get(id);
    if (stream === undefined) return Http2Error.none;
    if (increment === 0) return this.#resetForFault(stream, Http2Error.protocol);
    if (!stream.widen(increment)) return this.#resetForFault(stream, Http2Error.flowControl);
    stream.goOn();
    return Http2Error.none;
  }

  /** Content for a stream that is over. */
  #onLate(id: number): Http2ErrorCode {
    if (this.#cut.has(id) || id > this.#lastTaken) return this.#chore();
    this.writer.putReset(id, Http2Error.streamClosed);
    remember(this.#cut, id);
    return this.#countReset();
  }

  #resetForFault(stream: Http2Stream, code: Http2ErrorCode): Http2ErrorCode {
    stream.close(code);
    return this.#countReset();
  }

  #countReset(): Http2ErrorCode {
    return this.#resets.take(this.#owner.now) ? Http2Error.none : Http2Error.calm;
  }

  #chore(): Http2ErrorCode {
    return this.#chores.take(this.#owner.now) ? Http2Error.none : Http2Error.calm;
  }

  /** Nothing has been said of it yet (RFC 9113 §5.1). */
  #isIdle(id: number): boolean {
    return id === 0 || id % 2 === 0 || id > this.#lastStream;
  }

  #fail(code: Http2ErrorCode): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.onSessionError(code);
  }
}

/** A number of times at once, and then so many per second. */
class Allowance {
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #since = 0;

  constructor({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
  }

  take(now: number): boolean {
    if (now > this.#since) {
      this.#left = Math.min(this.#burst, this.#left + ((now - this.#since) / 1000) * this.#perSecond);
      this.#since = now;
    }
    return --this.#left >= 0;
  }
}

/** Bounded: the oldest are forgotten. */
function remember(numbers: Set<number>, id: number): void {
  if (numbers.size >= MAX_REMEMBERED) numbers.delete(numbers.values().next().value as number);
  numbers.add(id);
}
