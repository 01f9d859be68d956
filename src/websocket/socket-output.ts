/**
 * A socket's outgoing bytes: corked, written, or waiting for a slow reader. One write is under way at a time; later frames wait in a
 * queue, published messages by reference. Owns the queue.
 */
import { Buffer } from 'node:buffer';
import { type SocketOwner, type Transport, type TransportSocket, WriteResult } from '../engine/transport.ts';
import { encodeFrame, FrameWriter } from './frame-encoder.ts';

/** Small pieces of the queue are joined up to this length. */
const BATCH = 64 * 1024;

/** Writers for the sockets that are sending now: usually one, more only if corks are nested. */
export class WriterPool {
  readonly #spare: FrameWriter[] = [];

  borrow(): FrameWriter {
    return this.#spare.pop() ?? new FrameWriter();
  }

  giveBack(writer: FrameWriter): void {
    this.#spare.push(writer);
  }
}

export class SocketOutput {
  /** Writes begun, modulo 2^32: any change is a sign of life. */
  writeCount = 0;
  readonly #transport: Transport;
  readonly #socket: TransportSocket;
  readonly #owner: SocketOwner;
  readonly #pool: WriterPool;
  /** Borrowed while corked. */
  #writer: FrameWriter | null = null;
  #isWriting: boolean;
  #queue: Buffer[] | null = null;
  #queuedBytes = 0;
  #endsWhenWritten = false;
  #isClosed = false;

  /** `owner` is told of a write that fails. */
  constructor(transport: Transport, socket: TransportSocket, owner: SocketOwner, pool: WriterPool) {
    this.#transport = transport;
    this.#socket = socket;
    this.#owner = owner;
    this.#pool = pool;
    // Earlier bytes, such as the 101, may still be waiting.
    this.#isWriting = transport.pendingBytes(socket) > 0;
  }

  /** The kernel has not taken everything. */
  get isBlocked(): boolean {
    return this.#isWriting;
  }

  /** Bytes that the kernel has not taken yet. */
  get bufferedBytes(): number {
    if (this.#isClosed) return 0;
    return (this.#isWriting ? this.pendingBytes + this.#queuedBytes : 0) + (this.#writer?.length ?? 0);
  }

  get pendingBytes(): number {
    return this.#isClosed ? 0 : this.#transport.pendingBytes(this.#socket);
  }

  /** Starts gathering frames. False if that was already the case; the caller must then not uncork. */
  cork(): boolean {
    if (this.#writer !== null) return false;
    this.#writer = this.#pool.borrow();
    return true;
  }

  /** Sends the gathered frames. */
  uncork(): void {
    const writer = this.#writer as FrameWriter;
    this.#writer = null;
    this.#flush(writer);
    this.#pool.giveBack(writer);
  }

  /** Returns the length of the payload. */
  text(first: number, text: string): number {
    const isOpener = this.cork();
    const writer = this.#writer as FrameWriter;
    let length = writer.text(first, text);
    if (length < 0) {
      this.#flush(writer);
      length = writer.text(first, text);
    }
    if (length < 0) {
      length = Buffer.byteLength(text);
      this.#send(encodeFrame(first, text));
    }
    if (isOpener) this.uncork();
    return length;
  }

  /** The payload is copied. */
  frame(first: number, payload: Uint8Array): void {
    const isOpener = this.cork();
    const writer = this.#writer as FrameWriter;
    if (!writer.frame(first, payload)) {
      this.#flush(writer);
      if (!writer.frame(first, payload)) this.#send(encodeFrame(first, payload));
    }
    if (isOpener) this.uncork();
  }

  /** Sends an encoded frame, which must not be changed afterwards. */
  encoded(frame: Buffer): void {
    const writer = this.#writer;
    if (writer === null) {
      this.#send(frame);
    } else if (!writer.encoded(frame)) {
      this.#flush(writer);
      this.#send(frame);
    }
  }

  /** The transport's onWritten. True if the kernel has now taken everything that was waiting. */
  onWritten(): boolean {
    if (!this.#isWriting || this.#isClosed || this.#transport.pendingBytes(this.#socket) > 0) return false;
    this.#isWriting = false;
    while (this.#queue !== null && !this.#isWriting && !this.#isClosed) this.#write(this.#nextBatch());
    if (this.#isWriting || this.#isClosed) return false;
    if (this.#endsWhenWritten) this.#transport.end(this.#socket);
    return true;
  }

  /** Sends FIN after everything that was sent. */
  end(): void {
    if (this.#writer !== null) this.#flush(this.#writer);
    if (this.#isClosed) return;
    if (this.#isWriting) this.#endsWhenWritten = true;
    else this.#transport.end(this.#socket);
  }

  /** The connection is destroyed: drops everything. */
  close(): void {
    this.#isClosed = true;
    this.#queue = null;
    this.#queuedBytes = 0;
  }

  #flush(writer: FrameWriter): void {
    const { length } = writer;
    if (length === 0) return;
    const bytes = writer.take();
    if (this.#isClosed) return;
    if (this.#isWriting) this.#enqueue(Buffer.from(bytes));
    else if (this.#write(bytes)) writer.giveAway(length);
  }

  #send(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#isWriting) this.#enqueue(bytes);
    else this.#write(bytes);
  }

  #enqueue(bytes: Buffer): void {
    if (this.#queue === null) this.#queue = [bytes];
    else this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
  }

  /** True if the transport still needs the bytes. */
  #write(bytes: Buffer): boolean {
    this.writeCount = (this.writeCount + 1) | 0;
    const result = this.#transport.write(this.#socket, bytes);
    if (result === WriteResult.failed) this.#owner.onFailure();
    if (result !== WriteResult.pending) return false;
    this.#isWriting = true;
    return true;
  }

  #nextBatch(): Buffer {
    const queue = this.#queue as Buffer[];
    let count = 0;
    let length = 0;
    do length += (queue[count++] as Buffer).length;
    while (count < queue.length && length + (queue[count] as Buffer).length <= BATCH);
    const batch = queue.splice(0, count);
    if (queue.length === 0) this.#queue = null;
    this.#queuedBytes -= length;
    return count === 1 ? (batch[0] as Buffer) : Buffer.concat(batch, length);
  }
}
