/**
 * A request on its way to an upstream: its head as it is sent, and the content that waits or may have to be sent again. Owns its
 * bytes; the buffers of requests that are over are used again.
 */
import { Buffer } from 'node:buffer';
import { writeLatin1 } from '../http/latin1.ts';

/** Content kept for another attempt; a longer request is sent once. */
const REPLAY_MAX = 64 * 1024;
/** Bytes that may wait for the upstream before the client has to. */
const WAITING_MAX = 64 * 1024;
const FIRST_SIZE = 1024;
/** Larger buffers are not kept. */
const LARGEST_KEPT = 8 * 1024;
const MAX_SPARE = 256;

const spare: Buffer[] = [];

export class OutgoingRequest {
  bytes: Buffer = spare.pop() ?? Buffer.allocUnsafeSlow(FIRST_SIZE);
  /** Bytes put so far … */
  length = 0;
  /** … and how many of them were given to the connection. */
  sent = 0;
  /** The connection still holds some of them. */
  isWriting = false;
  /** If it is not what the bytes begin with, or they are forgotten. */
  #line = '';
  /** Everything since the first byte is still here. */
  isReplayable = true;
  /** The client has sent all of it. */
  isComplete = false;
  /** Once sent, it may be sent again (RFC 9110 §9.2.2). */
  isIdempotent = false;
  /** It says Expect: 100-continue. */
  expectsContinue = false;
  /** It asks for another protocol. */
  wantsUpgrade = false;

  /** More can be put without holding too much. */
  get hasRoom(): boolean {
    return this.length - this.sent < WAITING_MAX && !this.isWriting;
  }

  /** The request line, for logs. */
  get line(): string {
    return this.#line === '' ? this.bytes.toString('latin1', 0, this.bytes.indexOf('\r')) : this.#line;
  }

  /** For logs: a request that is not written as HTTP. */
  nameLine(line: string): void {
    this.#line = line;
  }

  get isUnsent(): boolean {
    return this.sent < this.length;
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): Buffer {
    const wanted = this.length + count;
    if (wanted > this.bytes.length) {
      // The old buffer stays alive for as long as the kernel needs it.
      const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.bytes.length));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    return this.bytes;
  }

  putLatin1(text: string): void {
    writeLatin1(this.reserve(text.length), text, this.length);
    this.length += text.length;
  }

  /** Copies from[start, end). */
  put(from: Buffer, start: number, end: number): void {
    this.reserve(end - start);
    this.length += from.copy(this.bytes, this.length, start, end);
  }

  /** What has not been given to the connection yet. */
  takeUnsent(): Buffer {
    const piece = this.bytes.subarray(this.sent, this.length);
    this.sent = this.length;
    return piece;
  }

  /** Forgets what the kernel has, if that is too much to keep. */
  forgetSent(): void {
    if (this.isWriting || this.isUnsent || this.length <= REPLAY_MAX) return;
    this.#line = this.line;
    this.isReplayable = false;
    this.length = 0;
    this.sent = 0;
  }

  /** Begins again, for another connection. */
  rewind(): void {
    this.sent = 0;
    this.isWriting = false;
  }

  /** It is over; nothing of it may be used afterwards. */
  release(): void {
    const { bytes } = this;
    if (!this.isWriting && bytes.length <= LARGEST_KEPT && spare.length < MAX_SPARE) spare.push(bytes);
  }
}
