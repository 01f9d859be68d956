/**
 * Frames on their way to one client of HTTP/2: put one after another, written together. Owns the bytes that were put and not
 * written; buffers that are done with are used again by all connections of a worker.
 */
import { Buffer } from 'node:buffer';
import { Flag, FRAME_HEAD, Frame, type Http2ErrorCode, MAX_PAYLOAD, putFrameHead, putUint32 } from '../http2/frames.ts';
import { NO_TABLE } from '../http2/hpack-encoder.ts';
import { type Transport, type TransportSocket, WriteResult, type WriteResultValue } from './transport.ts';

/** At this length it is time to write. */
const FULL = 64 * 1024;
const SIZE = FULL + MAX_PAYLOAD + FRAME_HEAD;
const MAX_SPARE = 8;

const spare: Buffer[] = [];

export class Http2Writer {
  /** The kernel has not taken what was written; nothing more is written until `onWritten`. */
  isPending = false;
  readonly #transport: Transport;
  readonly #socket: TransportSocket;
  #bytes: Buffer | null = null;
  #length = 0;
  #hasPutHead = false;

  constructor(transport: Transport, socket: TransportSocket) {
    this.#transport = transport;
    this.#socket = socket;
  }

  get isFull(): boolean {
    return this.#length >= FULL;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Writes what was put, unless something is pending. */
  flush(): WriteResultValue {
    const bytes = this.#bytes;
    if (this.isPending) return WriteResult.pending;
    if (bytes === null) return WriteResult.done;
    const length = this.#length;
    this.#length = 0;
    this.#bytes = null;
    const result = this.#transport.write(this.#socket, bytes.subarray(0, length));
    if (result === WriteResult.pending) this.isPending = true;
    else if (bytes.length === SIZE && spare.length < MAX_SPARE) spare.push(bytes);
    return result;
  }

  putSettings(pairs: readonly (readonly [id: number, value: number])[]): void {
    const bytes = this.#reserve(FRAME_HEAD + 6 * pairs.length);
    let at = putFrameHead(bytes, this.#length, 6 * pairs.length, Frame.settings, Flag.none, 0);
    for (const [id, value] of pairs) {
      bytes[at] = id >>> 8;
      bytes[at + 1] = id;
      at = putUint32(bytes, at + 2, value);
    }
    this.#length = at;
  }

  putAcknowledgement(): void {
    const bytes = this.#reserve(FRAME_HEAD);
    this.#length = putFrameHead(bytes, this.#length, 0, Frame.settings, Flag.ack, 0);
  }

  /** Answers a ping with its own 8 bytes. */
  putPong(from: Buffer, at: number): void {
    const bytes = this.#reserve(FRAME_HEAD + 8);
    const to = putFrameHead(bytes, this.#length, 8, Frame.ping, Flag.ack, 0);
    this.#length = to + from.copy(bytes, to, at, at + 8);
  }

  putGoaway(lastStream: number, code: Http2ErrorCode): void {
    const bytes = this.#reserve(FRAME_HEAD + 8);
    const at = putFrameHead(bytes, this.#length, 8, Frame.goaway, Flag.none, 0);
    this.#length = putUint32(bytes, putUint32(bytes, at, lastStream), code);
  }

  putReset(stream: number, code: number): void {
    this.#putNumber(Frame.rstStream, stream, code);
  }

  putWindowUpdate(stream: number, increment: number): void {
    this.#putNumber(Frame.windowUpdate, stream, increment);
  }

  /** A header section, in as many frames as it takes. */
  putHeaders(stream: number, section: Buffer, isEnd: boolean): void {
    const extra = this.#hasPutHead ? 0 : 1;
    const total = section.length + extra;
    let type: number = Frame.headers;
    let from = 0;
    for (let left = total; ; ) {
      const length = Math.min(left, MAX_PAYLOAD);
      left -= length;
      const flags = (left === 0 ? Flag.endHeaders : 0) | (isEnd && type === Frame.headers ? Flag.endStream : 0);
      const bytes = this.#reserve(FRAME_HEAD + length);
      let at = putFrameHead(bytes, this.#length, length, type, flags, stream);
      let count = length;
      if (!this.#hasPutHead) {
        this.#hasPutHead = true;
        bytes[at++] = NO_TABLE;
        count--;
      }
      section.copy(bytes, at, from, from + count);
      from += count;
      this.#length = at + count;
      if (left === 0) return;
      type = Frame.continuation;
    }
  }

  /** One frame with content[start, end), which is at most 16 KiB. */
  putData(stream: number, content: Buffer, start: number, end: number, isEnd: boolean): void {
    const length = end - start;
    const bytes = this.#reserve(FRAME_HEAD + length);
    const flags = isEnd ? Flag.endStream : Flag.none;
    const at = putFrameHead(bytes, this.#length, length, Frame.data, flags, stream);
    content.copy(bytes, at, start, end);
    this.#length = at + length;
  }

  #putNumber(type: number, stream: number, value: number): void {
    const bytes = this.#reserve(FRAME_HEAD + 4);
    this.#length = putUint32(bytes, putFrameHead(bytes, this.#length, 4, type, Flag.none, stream), value);
  }

  #reserve(count: number): Buffer {
    let bytes = this.#bytes;
    if (bytes === null) {
      bytes = spare.pop() ?? Buffer.allocUnsafeSlow(SIZE);
      this.#bytes = bytes;
    } else if (this.#length + count > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + count, 2 * bytes.length));
      bytes.copy(larger, 0, 0, this.#length);
      bytes = larger;
      this.#bytes = larger;
    }
    return bytes;
  }
}
