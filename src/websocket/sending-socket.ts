/** One WebSocket client: what the program sends to it, one by one or by topics, and the rule for clients that read slowly. */
import { Buffer } from 'node:buffer';
import { CloseCode } from './close-codes.ts';
import { FirstByte } from './frame-encoder.ts';
import type { BinaryData, BinaryType, Socket } from './handlers.ts';
import { bytesOf, type PublishedMessage } from './message.ts';
import { Phase, PhasedSocket } from './phased-socket.ts';
import type { SocketDeflate } from './socket-deflate.ts';

const NOTHING = Buffer.alloc(0);

export abstract class SendingSocket<D> extends PhasedSocket implements Socket<D> {
  abstract data: D;
  abstract binaryType: BinaryType;
  /** `send` has returned -1 and `drain` has not been called since. */
  protected wantsDrain = false;
  #topics: Set<string> | null = null;

  /** Bytes sent that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.output.bufferedBytes;
  }

  getBufferedAmount(): number {
    return this.output.bufferedBytes;
  }

  get subscriptions(): string[] {
    return this.#topics === null ? [] : [...this.#topics];
  }

  /** Returns the message's bytes, 0 if it was dropped, or -1 if it is waiting for the client; `drain` follows. */
  send(data: string | BinaryData, compress?: boolean): number {
    return typeof data === 'string' ? this.sendText(data, compress) : this.sendBinary(data, compress);
  }

  sendText(text: string, compress?: boolean): number {
    if (this.phase !== Phase.open) return 0;
    const deflate = this.deflate;
    if (deflate?.wants(Buffer.byteLength(text), compress) === true)
      return this.#sendCompressed(FirstByte.text, Buffer.from(text), deflate);
    const output = this.output;
    if (!output.isBlocked) {
      const length = output.text(FirstByte.text, text);
      return output.isBlocked ? this.#waits() : length;
    }
    if (!this.#hasRoom(Buffer.byteLength(text))) return 0;
    output.text(FirstByte.text, text);
    return this.#waits();
  }

  sendBinary(data: BinaryData, compress?: boolean): number {
    if (this.phase !== Phase.open) return 0;
    const bytes = bytesOf(data);
    const deflate = this.deflate;
    if (deflate?.wants(bytes.length, compress) === true) return this.#sendCompressed(FirstByte.binary, bytes, deflate);
    return this.#sendFrame(FirstByte.binary, bytes);
  }

  ping(data: string | Uint8Array = NOTHING): number {
    return this.#sendControl(FirstByte.ping, data);
  }

  pong(data: string | Uint8Array = NOTHING): number {
    return this.#sendControl(FirstByte.pong, data);
  }

  /** Everything that `work` sends leaves in one write. */
  cork<T>(work: (socket: this) => T): T {
    const isOpener = this.output.cork();
    try {
      return work(this);
    } finally {
      if (isOpener) this.output.uncork();
    }
  }

  subscribe(topic: string): void {
    if (this.phase !== Phase.open) return;
    this.#topics ??= new Set();
    this.#topics.add(topic);
    this.group.channels.subscribe(this, topic);
  }

  unsubscribe(topic: string): void {
    if (this.#topics?.delete(topic) === true) this.group.channels.unsubscribe(this, topic);
  }

  isSubscribed(topic: string): boolean {
    return this.#topics?.has(topic) === true;
  }

  /** Reaches all subscribers in all workers, this socket only with `publishToSelf`. */
  publish(topic: string, data: string | BinaryData, compress?: boolean): number {
    if (this.phase !== Phase.open) return 0;
    const except = this.settings.publishToSelf ? null : this;
    return this.group.channels.publish(topic, typeof data === 'string' ? data : bytesOf(data), compress, except);
  }

  publishText(topic: string, text: string, compress?: boolean): number {
    return this.publish(topic, text, compress);
  }

  publishBinary(topic: string, data: BinaryData, compress?: boolean): number {
    return this.publish(topic, data, compress);
  }

  /** A published message. */
  deliver(message: PublishedMessage, compress: boolean | undefined): boolean {
    if (this.phase !== Phase.open) return false;
    const output = this.output;
    if (output.isBlocked && !this.#hasRoom(message.length)) return false;
    const deflate = this.deflate;
    const isCompressed = deflate?.wants(message.length, compress) === true;
    output.encoded(isCompressed ? message.compressedFrame(deflate.compressor, deflate.isShared) : message.plainFrame());
    if (output.isBlocked) this.wantsDrain = true;
    return true;
  }

  protected release(): void {
    const topics = this.#topics;
    this.#topics = null;
    if (topics !== null) for (const topic of topics) this.group.channels.unsubscribe(this, topic);
  }

  /** At half the limit, so that replies to what has already been read still fit. */
  protected pauseIfFull(): void {
    if (this.output.bufferedBytes > this.settings.backpressureLimit / 2) this.pause();
  }

  #sendFrame(first: number, bytes: Uint8Array): number {
    const output = this.output;
    if (output.isBlocked && !this.#hasRoom(bytes.length)) return 0;
    output.frame(first, bytes);
    return output.isBlocked ? this.#waits() : bytes.length;
  }

  #sendCompressed(first: number, bytes: Uint8Array, deflate: SocketDeflate): number {
    // Checked before compressing: a message that is dropped must not enter the compressor's context.
    if (this.output.isBlocked && !this.#hasRoom(bytes.length)) return 0;
    const payload = deflate.compressor.compress(bytes);
    this.output.frame(first | FirstByte.compressed, payload);
    return this.output.isBlocked ? this.#waits() : bytes.length;
  }

  #sendControl(first: number, data: string | Uint8Array): number {
    if (this.phase !== Phase.open) return 0;
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    if (payload.length > 125) throw new RangeError(`a ping or pong holds 125 bytes at most, got ${payload.length}`);
    return this.#sendFrame(first, payload);
  }

  #waits(): number {
    if (this.phase !== Phase.open) return 0;
    this.wantsDrain = true;
    return -1;
  }

  /** The rule for slow readers: a message that would exceed the limit is dropped, or the reader is. */
  #hasRoom(length: number): boolean {
    const { backpressureLimit, closeOnBackpressureLimit } = this.settings;
    if (this.output.bufferedBytes + length <= backpressureLimit) return true;
    if (closeOnBackpressureLimit) this.end(CloseCode.abnormal, '');
    return false;
  }
}
