/**
 * One WebSocket client: reads frames, calls handlers, sends frames, and closes. Takes over an accepted connection after the 101; owns
 * that connection and the client's own compressors.
 */
import { Buffer } from 'node:buffer';
import type { SocketOwner, TransportSocket } from '../engine/transport.ts';
import { CloseCode, closePayload, isSendableCloseCode } from './close-codes.ts';
import { copyOf, decodeMessage } from './decode-message.ts';
import type { DeflateAgreement } from './deflate-negotiation.ts';
import { FirstByte } from './frame-encoder.ts';
import { FrameEvent, FrameParser } from './frame-parser.ts';
import type { BinaryData, BinaryType, Socket } from './handlers.ts';
import { Liveness, Verdict } from './liveness.ts';
import { bytesOf, type PublishedMessage } from './message.ts';
import type { SocketSettings } from './options.ts';
import { SocketDeflate } from './socket-deflate.ts';
import { SocketOutput } from './socket-output.ts';
import type { WebSockets } from './web-sockets.ts';

const Phase = {
  open: 1,
  /** We have sent a close frame and wait for the client's. */
  closing: 2,
  /** The closing handshake is over: we have sent FIN and wait for the client's, so that no reset destroys our close frame. */
  lingering: 3,
  closed: 4,
} as const;
type PhaseValue = (typeof Phase)[keyof typeof Phase];

/** How long we wait for the client's close frame, and then for its FIN. */
export const CLOSE_TIMEOUT_MS = 10_000;
/** With more than this waiting, only the last ping is answered, as RFC 6455 §5.5.3 allows. */
const PONG_LIMIT = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** What the handshake agreed on. */
export interface SocketSession {
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly deflate: DeflateAgreement | null;
}

export class ServerSocket<D = unknown> implements Socket<D>, SocketOwner {
  data: D;
  /** The form of binary messages. */
  binaryType: BinaryType = 'nodebuffer';
  readonly protocol: string;
  readonly remoteAddress: string;

  readonly #group: WebSockets;
  readonly #settings: SocketSettings;
  /** Owned: destroyed in #end(). */
  readonly #socket: TransportSocket;
  readonly #output: SocketOutput;
  readonly #parser: FrameParser;
  /** Owned: closed with the socket. */
  readonly #deflate: SocketDeflate | null;
  #phase: PhaseValue = Phase.open;
  #topics: Set<string> | null = null;
  /** `send` has returned -1 and `drain` has not been called since. */
  #wantsDrain = false;
  #isPaused = false;
  #isCloseTold = false;
  /** Payload of the last ping, which is not answered yet because too much is waiting. */
  #owedPong: Buffer | null = null;
  readonly #liveness: Liveness;
  /** While closing and lingering. */
  #deadline = 0;

  constructor(group: WebSockets, socket: TransportSocket, settings: SocketSettings, session: SocketSession, data: D) {
    this.data = data;
    this.protocol = session.protocol;
    this.remoteAddress = session.remoteAddress;
    this.#group = group;
    this.#settings = settings;
    this.#socket = socket;
    this.#output = new SocketOutput(group.transport, socket, this, group.writers);
    this.#parser = new FrameParser(settings.maxPayloadLength, session.deflate !== null);
    const { deflate } = settings;
    this.#deflate =
      session.deflate === null || deflate === null
        ? null
        : new SocketDeflate(session.deflate, deflate, group.sharedDeflate);
    this.#liveness = new Liveness(group.now);
  }

  get readyState(): 1 | 2 | 3 {
    if (this.#phase === Phase.open) return 1;
    return this.#phase === Phase.closing ? 2 : 3;
  }

  /** Bytes sent that the kernel has not taken yet. */
  get bufferedAmount(): number {
    return this.#output.bufferedBytes;
  }

  getBufferedAmount(): number {
    return this.#output.bufferedBytes;
  }

  get subscriptions(): string[] {
    return this.#topics === null ? [] : [...this.#topics];
  }

  /** Calls `open`, then reads what came behind the handshake. */
  start(leftover: Buffer): void {
    const isOpener = this.#output.cork();
    try {
      const { handlers } = this.#settings;
      if (handlers.open !== undefined) this.#settle(handlers.open(this));
    } catch (error) {
      this.#group.report(error);
    }
    if (isOpener) this.#output.uncork();
    if (leftover.length > 0) this.onData(leftover, leftover.length);
  }

  // ---- Called by the program.

  /** Returns the message's bytes, 0 if it was dropped, or -1 if it is waiting for the client; `drain` follows. */
  send(data: string | BinaryData, compress?: boolean): number {
    return typeof data === 'string' ? this.sendText(data, compress) : this.sendBinary(data, compress);
  }

  sendText(text: string, compress?: boolean): number {
    if (this.#phase !== Phase.open) return 0;
    const deflate = this.#deflate;
    if (deflate?.wants(Buffer.byteLength(text), compress) === true)
      return this.#sendCompressed(FirstByte.text, Buffer.from(text), deflate);
    const output = this.#output;
    if (!output.isBlocked) {
      const length = output.text(FirstByte.text, text);
      return output.isBlocked ? this.#waits() : length;
    }
    if (!this.#hasRoom(Buffer.byteLength(text))) return 0;
    output.text(FirstByte.text, text);
    return this.#waits();
  }

  sendBinary(data: BinaryData, compress?: boolean): number {
    if (this.#phase !== Phase.open) return 0;
    const bytes = bytesOf(data);
    const deflate = this.#deflate;
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
    const isOpener = this.#output.cork();
    try {
      return work(this);
    } finally {
      if (isOpener) this.#output.uncork();
    }
  }

  /** Begins the closing handshake. `close` is called when the client has answered, or after ten seconds without progress. */
  close(code: number = CloseCode.normal, reason = ''): void {
    if (!isSendableCloseCode(code))
      throw new RangeError(`the close code must be one of 1000 to 1003, 1007 to 1014 or 3000 to 4999, got ${code}`);
    if (this.#phase !== Phase.open) return;
    this.#phase = Phase.closing;
    this.#deadline = this.#group.now + CLOSE_TIMEOUT_MS;
    this.#leaveTopics();
    this.#output.frame(FirstByte.close, closePayload(code, reason));
    // Read on, or the client's close frame would wait behind our queue.
    this.#resume();
  }

  /** Ends at once, without a close frame. */
  terminate(): void {
    this.#end(CloseCode.abnormal, '');
  }

  subscribe(topic: string): void {
    if (this.#phase !== Phase.open) return;
    this.#topics ??= new Set();
    this.#topics.add(topic);
    this.#group.channels.subscribe(this, topic);
  }

  unsubscribe(topic: string): void {
    if (this.#topics?.delete(topic) === true) this.#group.channels.unsubscribe(this, topic);
  }

  isSubscribed(topic: string): boolean {
    return this.#topics?.has(topic) === true;
  }

  /** Reaches all subscribers in all workers, this socket only with `publishToSelf`. */
  publish(topic: string, data: string | BinaryData, compress?: boolean): number {
    if (this.#phase !== Phase.open) return 0;
    const except = this.#settings.publishToSelf ? null : this;
    return this.#group.channels.publish(topic, typeof data === 'string' ? data : bytesOf(data), compress, except);
  }

  publishText(topic: string, text: string, compress?: boolean): number {
    return this.publish(topic, text, compress);
  }

  publishBinary(topic: string, data: BinaryData, compress?: boolean): number {
    return this.publish(topic, data, compress);
  }

  /** A published message. */
  deliver(message: PublishedMessage, compress: boolean | undefined): boolean {
    if (this.#phase !== Phase.open) return false;
    const output = this.#output;
    if (output.isBlocked && !this.#hasRoom(message.length)) return false;
    const deflate = this.#deflate;
    const isCompressed = deflate?.wants(message.length, compress) === true;
    output.encoded(isCompressed ? message.compressedFrame(deflate.compressor, deflate.isShared) : message.plainFrame());
    if (output.isBlocked) this.#wantsDrain = true;
    return true;
  }

  // ---- Called by the transport and the clock.

  onData(bytes: Buffer, length: number): void {
    if (this.#phase > Phase.closing) return;
    this.#liveness.renew(this.#group.now);
    const isOpener = this.#output.cork();
    try {
      this.#consume(bytes, length);
    } catch (error) {
      // A bug of ours: it costs this connection and no other.
      this.#group.report(error);
      this.#fail(CloseCode.internalError, 'internal error');
    }
    if (isOpener) this.#output.uncork();
    // A client is not read faster than it reads.
    if (!this.#isPaused && this.#phase === Phase.open && this.#output.isBlocked) this.#pauseIfFull();
  }

  onEnd(): void {
    this.#end(CloseCode.abnormal, '');
  }

  onFailure(): void {
    this.#end(CloseCode.abnormal, '');
  }

  onWritten(): void {
    if (!this.#output.onWritten()) return;
    if (this.#owedPong !== null && this.#phase === Phase.open) {
      const payload = this.#owedPong;
      this.#owedPong = null;
      this.#output.frame(FirstByte.pong, payload);
    }
    this.#resume();
    if (!this.#wantsDrain || this.#phase !== Phase.open) return;
    this.#wantsDrain = false;
    const { handlers } = this.#settings;
    if (handlers.drain === undefined) return;
    const isOpener = this.#output.cork();
    try {
      this.#settle(handlers.drain(this));
    } catch (error) {
      this.#group.report(error);
    }
    if (isOpener) this.#output.uncork();
  }

  /** Called at every tick of the engine's clock. */
  onTick(now: number): void {
    const { idleTimeoutMs, sendPings } = this.#settings;
    const liveness = this.#liveness;
    liveness.look(now, this.#output.pendingBytes, this.#output.writeCount, sendPings);
    if (this.#phase !== Phase.open) {
      // Our close frame is behind everything that was sent before it.
      if (liveness.isTaking) this.#deadline = now + CLOSE_TIMEOUT_MS;
      if (now >= this.#deadline) this.#end(CloseCode.abnormal, '');
      return;
    }
    const verdict = liveness.judge(now, idleTimeoutMs, sendPings, !this.#isPaused);
    if (verdict === Verdict.dead) this.#end(CloseCode.abnormal, '');
    else if (verdict === Verdict.ping) this.ping();
  }

  // ---- Inside.

  #consume(bytes: Buffer, length: number): void {
    const parser = this.#parser;
    const { handlers } = this.#settings;
    let at = 0;
    while (at < length && this.#phase <= Phase.closing) {
      const event = parser.read(bytes, at, length);
      at = parser.position;
      switch (event) {
        case FrameEvent.needMore:
          return;
        case FrameEvent.message:
          if (this.#phase === Phase.open) this.#takeMessage();
          break;
        case FrameEvent.ping:
          if (this.#phase === Phase.open) this.#takePing();
          break;
        case FrameEvent.pong:
          if (handlers.pong !== undefined && this.#phase === Phase.open) this.#tell(handlers.pong);
          break;
        case FrameEvent.close:
          this.#takeClose(parser.closeCode, parser.payload.toString('utf8', parser.start, parser.end));
          return;
        case FrameEvent.failed:
          this.#fail(parser.closeCode, parser.reason);
          return;
        default:
          event satisfies never;
      }
    }
  }

  #takeMessage(): void {
    const { handlers, maxPayloadLength } = this.#settings;
    const data = decodeMessage(this.#parser, this.#deflate, maxPayloadLength, this.binaryType);
    if (typeof data === 'number') {
      this.#fail(data, data === CloseCode.tooBig ? 'the message is too big' : 'the message is not valid');
      return;
    }
    try {
      this.#settle(handlers.message(this, data as string | Buffer));
    } catch (error) {
      this.#group.report(error);
    }
  }

  #takePing(): void {
    const { payload, start, end } = this.#parser;
    const output = this.#output;
    if (output.isBlocked && output.bufferedBytes > PONG_LIMIT) this.#owedPong = copyOf(payload, start, end);
    else output.frame(FirstByte.pong, payload.subarray(start, end));
    const { handlers } = this.#settings;
    if (handlers.ping !== undefined) this.#tell(handlers.ping);
  }

  #tell(handler: (socket: ServerSocket<D>, data: Buffer) => void | Promise<void>): void {
    const { payload, start, end } = this.#parser;
    try {
      this.#settle(handler.call(this.#settings.handlers, this, copyOf(payload, start, end)));
    } catch (error) {
      this.#group.report(error);
    }
  }

  /** RFC 6455 §5.5.1: the client's close frame is answered with its own code, unless it is the answer. */
  #takeClose(code: number, reason: string): void {
    if (this.#phase === Phase.open) this.#output.frame(FirstByte.close, closePayload(code, ''));
    this.#shut(code, reason);
  }

  /** Closes a connection that has broken the rules. */
  #fail(code: number, reason: string): void {
    if (this.#phase === Phase.open) this.#output.frame(FirstByte.close, closePayload(code, reason));
    if (this.#phase <= Phase.closing) this.#shut(code, reason);
  }

  /** The closing handshake is over. */
  #shut(code: number, reason: string): void {
    if (this.#phase > Phase.closing) return;
    this.#phase = Phase.lingering;
    this.#deadline = this.#group.now + CLOSE_TIMEOUT_MS;
    this.#output.end();
    this.#resume();
    this.#forget(code, reason);
  }

  /** Closes both directions at once. */
  #end(code: number, reason: string): void {
    if (this.#phase === Phase.closed) return;
    this.#phase = Phase.closed;
    this.#output.close();
    this.#group.transport.destroy(this.#socket);
    this.#group.remove(this);
    this.#forget(code, reason);
  }

  /** Releases what only an open socket needs, and tells the program. */
  #forget(code: number, reason: string): void {
    this.#leaveTopics();
    this.#deflate?.close();
    this.#owedPong = null;
    if (this.#isCloseTold) return;
    this.#isCloseTold = true;
    const { handlers } = this.#settings;
    if (handlers.close === undefined) return;
    try {
      this.#settle(handlers.close(this, code, reason));
    } catch (error) {
      this.#group.report(error);
    }
  }

  #leaveTopics(): void {
    const topics = this.#topics;
    this.#topics = null;
    if (topics !== null) for (const topic of topics) this.#group.channels.unsubscribe(this, topic);
  }

  #sendFrame(first: number, bytes: Uint8Array): number {
    const output = this.#output;
    if (output.isBlocked && !this.#hasRoom(bytes.length)) return 0;
    output.frame(first, bytes);
    return output.isBlocked ? this.#waits() : bytes.length;
  }

  #sendCompressed(first: number, bytes: Uint8Array, deflate: SocketDeflate): number {
    // Checked before compressing: a message that is dropped must not enter the compressor's context.
    if (this.#output.isBlocked && !this.#hasRoom(bytes.length)) return 0;
    const payload = deflate.compressor.compress(bytes);
    this.#output.frame(first | FirstByte.compressed, payload);
    return this.#output.isBlocked ? this.#waits() : bytes.length;
  }

  #sendControl(first: number, data: string | Uint8Array): number {
    if (this.#phase !== Phase.open) return 0;
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    if (payload.length > 125) throw new RangeError(`a ping or pong holds 125 bytes at most, got ${payload.length}`);
    return this.#sendFrame(first, payload);
  }

  #waits(): number {
    if (this.#phase !== Phase.open) return 0;
    this.#wantsDrain = true;
    return -1;
  }

  /** The rule for slow readers: a message that would exceed the limit is dropped, or the reader is. */
  #hasRoom(length: number): boolean {
    const { backpressureLimit, closeOnBackpressureLimit } = this.#settings;
    if (this.#output.bufferedBytes + length <= backpressureLimit) return true;
    if (closeOnBackpressureLimit) this.#end(CloseCode.abnormal, '');
    return false;
  }

  /** At half the limit, so that replies to what has already been read still fit. */
  #pauseIfFull(): void {
    if (this.#output.bufferedBytes <= this.#settings.backpressureLimit / 2) return;
    this.#isPaused = true;
    this.#group.transport.pause(this.#socket);
  }

  #resume(): void {
    if (!this.#isPaused || this.#phase === Phase.closed) return;
    this.#isPaused = false;
    this.#liveness.renew(this.#group.now);
    this.#group.transport.resume(this.#socket);
  }

  /** Reports the failure of an asynchronous handler; nothing waits for its success. */
  #settle(result: unknown): void {
    if (result !== undefined && result instanceof Promise) result.catch((error) => this.#group.report(error));
  }
}
