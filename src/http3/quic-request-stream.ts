/**
 * A stream of `node:quic` in the shape that exchanges know from `node:http2`. What is answered at once leaves in one packet: a head
 * waits for content until the turn is over.
 */
import { Buffer } from 'node:buffer';
import type { PreparedAnswer } from '../engine/http2-answers.ts';
import type { RawFields, ResponseFields } from '../engine/http2-fields.ts';
import { Reset } from '../engine/http2-request.ts';
import type { RequestStream, StreamListener } from '../engine/request-stream.ts';
import { asBuffer } from '../http/as-buffer.ts';
import { areTrailers } from '../http2/request-rules.ts';
import { rawFieldsOf } from './fields.ts';
import { DRAINABLE, type QuicFields, type QuicStream } from './quic.ts';

/** RFC 9114 §8.1. */
export const Http3Code = {
  noError: 0x100n,
  internalError: 0x102n,
  excessiveLoad: 0x107n,
  requestRejected: 0x10bn,
  requestCancelled: 0x10cn,
  messageError: 0x10en,
} as const;

/** What may be sent before the client has acknowledged any of it. */
const SEND_BUDGET = 256 * 1024;

type Batch = IteratorResult<readonly Uint8Array[]>;

export class QuicRequestStream implements RequestStream {
  listener: StreamListener | null = null;
  endAfterHeaders = false;
  closed = false;
  readableEnded = false;
  writableNeedDrain = false;
  rstCode: number = Reset.noError;
  trailers: RawFields | null = null;
  /** Told once, before the listener is. */
  onClosed: (() => void) | null = null;
  /** The client has cut its own side off. */
  isReset = false;
  readonly #quic: QuicStream;
  /** Content under way to us; null: not looked at yet. */
  #incoming: AsyncIterator<readonly Uint8Array[]> | null = null;
  #isPulling = false;
  #isFlowing = false;
  /** Has come, but nobody wants it yet. */
  readonly #held: Uint8Array[] = [];
  /** A head that may leave together with content. */
  #head: QuicFields | null = null;
  /** What the stream does not take yet. */
  readonly #waiting: Buffer[] = [];
  #isEnding = false;
  #trailersToSend: QuicFields | null = null;
  #writtenBytes = 0;

  constructor(quic: QuicStream) {
    this.#quic = quic;
    quic.budget = SEND_BUDGET;
    quic.ontrailers = (fields) => {
      const trailers = rawFieldsOf(fields);
      if (areTrailers(trailers)) this.trailers = trailers;
      else this.abort(Http3Code.messageError);
    };
    quic.onreset = () => this.#onCutOff();
    quic.onstopsending = () => this.#onCutOff();
    quic.closed.then(
      () => this.#onClose(Reset.noError),
      () => this.#onClose(Reset.cancel),
    );
  }

  get destroyed(): boolean {
    return this.#quic.destroyed;
  }

  get bufferSize(): number {
    if (this.#quic.destroyed) return 0;
    return this.#writtenBytes - Number(this.#quic.stats.maxOffsetAcknowledged);
  }

  /** Looks whether there is content, which is known in the next turn if the end came with the head. */
  findOut(): Promise<unknown> {
    this.#isPulling = true;
    this.#incoming = this.#quic[Symbol.asyncIterator]();
    return this.#incoming.next().then(
      (batch) => {
        if (batch.done === true) this.endAfterHeaders = true;
        this.#onBatch(batch);
      },
      () => {},
    );
  }

  pause(): void {
    this.#isFlowing = false;
  }

  resume(): void {
    this.#isFlowing = true;
    this.#flow();
  }

  respond(fields: ResponseFields, isEnd: boolean, _kept: PreparedAnswer | null): void {
    const head = fieldsOf(fields);
    if (isEnd) {
      this.#send(() => this.#quic.sendHeaders(head, { terminal: true }));
      return;
    }
    this.#head = head;
    process.nextTick(sendHead, this);
  }

  /** Sends it, if it has not left. */
  flushHead(): void {
    const head = this.#head;
    if (head === null) return;
    this.#head = null;
    this.#send(() => this.#quic.sendHeaders(head));
  }

  additionalHeaders(fields: Record<string, number | string[]>): void {
    const head: Record<string, string | readonly string[]> = {};
    for (const [name, value] of Object.entries(fields)) head[name] = typeof value === 'number' ? String(value) : value;
    this.#send(() => this.#quic.sendInformationalHeaders(head));
  }

  write(bytes: Buffer): boolean {
    this.flushHead();
    this.#writtenBytes += bytes.length;
    const copy = Buffer.from(bytes);
    if (this.#waiting.length > 0 || !this.#writer((writer) => writer.writeSync(copy))) this.#waiting.push(copy);
    this.#lookForRoom();
    return !this.writableNeedDrain;
  }

  end(bytes?: Buffer): void {
    const head = this.#head;
    if (head !== null && bytes !== undefined) {
      this.#head = null;
      this.#writtenBytes = bytes.length;
      this.#send(() => {
        this.#quic.setBody(bytes);
        this.#quic.sendHeaders(head);
      });
      return;
    }
    if (bytes !== undefined) this.write(bytes);
    this.flushHead();
    this.#isEnding = true;
    this.#endIfSent();
  }

  endWith(trailers: ResponseFields): void {
    this.#trailersToSend = fieldsOf(trailers);
    this.end();
  }

  close(code: number): void {
    if (this.#quic.destroyed) return;
    if (code === Reset.noError) {
      this.#quic.stopSending(Http3Code.noError);
      return;
    }
    this.rstCode = code;
    this.abort(code === Reset.internalError ? Http3Code.internalError : Http3Code.requestCancelled);
  }

  abort(code: bigint): void {
    this.#quic.destroy(undefined, { code });
  }

  /** Node throws for what a stream that ends just now does not take; its end follows. */
  #send(action: () => unknown): void {
    if (this.#quic.destroyed) return;
    try {
      action();
    } catch {
      this.close(Reset.internalError);
    }
  }

  #writer(action: (writer: QuicStream['writer']) => boolean): boolean {
    let done = true;
    this.#send(() => {
      const { writer } = this.#quic;
      done = writer.canWrite === null || action(writer);
    });
    return done;
  }

  #lookForRoom(): void {
    if (this.writableNeedDrain || this.#quic.destroyed) return;
    this.#writer((writer) => {
      const room = writer[DRAINABLE]();
      this.writableNeedDrain = room !== null;
      room?.then(
        () => this.#onRoom(),
        () => {},
      );
      return true;
    });
  }

  #onRoom(): void {
    this.writableNeedDrain = false;
    while (this.#waiting.length > 0) {
      const bytes = this.#waiting[0] as Buffer;
      if (!this.#writer((writer) => writer.writeSync(bytes))) break;
      this.#waiting.shift();
    }
    this.#lookForRoom();
    this.#endIfSent();
    if (!this.writableNeedDrain && !this.closed) this.listener?.onDrained();
  }

  #endIfSent(): void {
    if (!this.#isEnding || this.#waiting.length > 0 || this.writableNeedDrain) return;
    this.#isEnding = false;
    const trailers = this.#trailersToSend;
    if (trailers !== null) {
      this.#send(() => {
        // Keeps content from being the end. It is not called for what a writer has written, so they are given beforehand.
        this.#quic.onwanttrailers = ignore;
        this.#quic.sendTrailers(trailers);
      });
    }
    this.#writer((writer) => writer.endSync() >= 0);
  }

  #flow(): void {
    while (this.#isFlowing && this.#held.length > 0)
      this.listener?.onContent(asBuffer(this.#held.shift() as Uint8Array));
    if (!this.#isFlowing || this.#isPulling || this.readableEnded || this.closed) return;
    this.#isPulling = true;
    this.#incoming ??= this.#quic[Symbol.asyncIterator]();
    this.#incoming.next().then(
      (batch) => this.#onBatch(batch),
      // The client has reset it; its end follows.
      () => {},
    );
  }

  #onBatch(batch: Batch): void {
    this.#isPulling = false;
    if (this.closed) return;
    if (batch.done === true) {
      this.readableEnded = true;
      this.listener?.onContentEnd();
      return;
    }
    this.#held.push(...batch.value);
    this.#flow();
  }

  /** Without our part, the other side would stay open. */
  #onCutOff(): void {
    this.isReset = true;
    this.rstCode = Reset.cancel;
    this.abort(Http3Code.requestCancelled);
  }

  #onClose(code: number): void {
    if (this.closed) return;
    this.closed = true;
    if (this.rstCode === Reset.noError) this.rstCode = code;
    this.onClosed?.();
    this.listener?.onStreamClosed();
  }
}

function ignore(): void {}

function sendHead(stream: QuicRequestStream): void {
  stream.flushHead();
}

function fieldsOf(fields: ResponseFields): QuicFields {
  const all: Record<string, string | string[]> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = String(fields[at + 1]);
    const known = all[name];
    if (known === undefined) all[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else all[name] = [known, value];
  }
  return all;
}
