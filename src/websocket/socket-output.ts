/**
 * What a socket sends: corked, written, or waiting for a slow reader. One write is under way at a time; what comes meanwhile
 * waits here, published messages by reference. Owns the queue.
 */
import { Buffer } from 'node:buffer';
import { type SocketOwner, type Transport, type TransportSocket, WriteResult } from '../engine/transport.ts';
import { encodeFrame, FrameWriter } from './frame-encoder.ts';

/** Small pieces of the queue are written together up to this length. */
const BATCH = 64 * 1024;

/** Writers for those who are sending now: mostly one, more only where corked sockets are nested. */
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
  /** Writes that have begun: changes tell that there is life. */
  writeCount = 0;
  readonly #transport: Transport;
  readonly #transportSocket: TransportSocket;
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
  constructor(transport: Transport, transportSocket: TransportSocket, owner: SocketOwner, pool: WriterPool) {
    this.#transport = transport;
    this.#transportSocket = transportSocket;
    this.#owner = owner;
    this.#pool = pool;
    // What was sent before, the 101 for one, may still be under way.
    this.#isWriting = transport.pendingBytes(transportSocket) > 0;
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
    return this.#isClosed ? 0 : this.#transport.pendingBytes(this.#transportSocket);
  }

  /** From here on frames are gathered. False where they already are: then somebody else uncorks. */
  cork(): boolean {
    if (this.#writer !== null) return false;
    this.#writer = this.#pool.borrow();
    return true;
  }

  /** Sends what was gathered. */
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

  /** A frame that nobody will change. */
  encoded(frame: Buffer): void {
    const writer = this.#writer;
    if (writer === null) {
      this.#send(frame);
    } else if (!writer.encoded(frame)) {
      this.#flush(writer);
      this.#send(frame);
    }
  }

  /** The transport's onWritten. True where all has been taken now, and was not before. */
  onWritten(): boolean {
    if (!this.#isWriting || this.#isClosed || this.#transport.pendingBytes(this.#transportSocket) > 0) return false;
    this.#isWriting = false;
    while (this.#queue !== null && !this.#isWriting && !this.#isClosed) this.#write(this.#nextBatch());
    if (this.#isWriting || this.#isClosed) return false;
    if (this.#endsWhenWritten) this.#transport.end(this.#transportSocket);
    return true;
  }

  /** FIN after all that was sent. */
  end(): void {
    if (this.#writer !== null) this.#flush(this.#writer);
    if (this.#isClosed) return;
    if (this.#isWriting) this.#endsWhenWritten = true;
    else this.#transport.end(this.#transportSocket);
  }

  /** The transportSocket is destroyed: nothing is sent any more. */
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

  /** True where the bytes are still in use. */
  #write(bytes: Buffer): boolean {
    this.writeCount = (this.writeCount + 1) | 0;
    const result = this.#transport.write(this.#transportSocket, bytes);
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
