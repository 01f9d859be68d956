/** One WebSocket client: reads its frames, and calls handlers. Takes over an accepted connection after the 101. */
import type { Buffer } from 'node:buffer';
import type { TransportSocket } from '../engine/transport.ts';
import { CloseCode, closePayload } from './close-codes.ts';
import { copyOf, decodeMessage } from './decode-message.ts';
import { FirstByte } from './frame-encoder.ts';
import { FrameEvent, FrameParser } from './frame-parser.ts';
import type { BinaryType } from './handlers.ts';
import type { SocketSettings } from './options.ts';
import { Phase, type SocketSession } from './phased-socket.ts';
import { SendingSocket } from './sending-socket.ts';
import type { WebSockets } from './web-sockets.ts';

/** With more than this waiting, only the last ping is answered, as RFC 6455 §5.5.3 allows. */
const PONG_LIMIT = 64 * 1024;

export class ServerSocket<D = unknown> extends SendingSocket<D> {
  data: D;
  /** The form of binary messages. */
  binaryType: BinaryType = 'nodebuffer';
  readonly #parser: FrameParser;
  /** Payload of the last ping, which is not answered yet because too much is waiting. */
  #owedPong: Buffer | null = null;

  constructor(group: WebSockets, socket: TransportSocket, settings: SocketSettings, session: SocketSession, data: D) {
    super(group, socket, settings, session);
    this.data = data;
    this.#parser = new FrameParser(settings.maxPayloadLength, session.deflate !== null);
  }

  /** Calls `open`, then reads what came behind the handshake. */
  start(leftover: Buffer): void {
    const isOpener = this.output.cork();
    try {
      const { handlers } = this.settings;
      if (handlers.open !== undefined) this.#settle(handlers.open(this));
    } catch (error) {
      this.group.report(error);
    }
    if (isOpener) this.output.uncork();
    if (leftover.length > 0) this.onData(leftover, leftover.length);
  }

  onData(bytes: Buffer, length: number): void {
    if (this.phase > Phase.closing) return;
    this.liveness.renew(this.group.now);
    const isOpener = this.output.cork();
    try {
      this.#consume(bytes, length);
    } catch (error) {
      // A bug of ours: it costs this connection and no other.
      this.group.report(error);
      this.fail(CloseCode.internalError, 'internal error');
    }
    if (isOpener) this.output.uncork();
    // A client is not read faster than it reads.
    if (!this.isPaused && this.phase === Phase.open && this.output.isBlocked) this.pauseIfFull();
  }

  onWritten(): void {
    if (!this.output.onWritten()) return;
    if (this.#owedPong !== null && this.phase === Phase.open) {
      const payload = this.#owedPong;
      this.#owedPong = null;
      this.output.frame(FirstByte.pong, payload);
    }
    this.resume();
    if (!this.wantsDrain || this.phase !== Phase.open) return;
    this.wantsDrain = false;
    const { handlers } = this.settings;
    if (handlers.drain === undefined) return;
    const isOpener = this.output.cork();
    try {
      this.#settle(handlers.drain(this));
    } catch (error) {
      this.group.report(error);
    }
    if (isOpener) this.output.uncork();
  }

  protected override release(): void {
    super.release();
    this.#owedPong = null;
  }

  protected tellClose(code: number, reason: string): void {
    const { handlers } = this.settings;
    if (handlers.close === undefined) return;
    try {
      this.#settle(handlers.close(this, code, reason));
    } catch (error) {
      this.group.report(error);
    }
  }

  #consume(bytes: Buffer, length: number): void {
    const parser = this.#parser;
    const { handlers } = this.settings;
    let at = 0;
    while (at < length && this.phase <= Phase.closing) {
      const event = parser.read(bytes, at, length);
      at = parser.position;
      switch (event) {
        case FrameEvent.needMore:
          return;
        case FrameEvent.message:
          if (this.phase === Phase.open) this.#takeMessage();
          break;
        case FrameEvent.ping:
          if (this.phase === Phase.open) this.#takePing();
          break;
        case FrameEvent.pong:
          if (handlers.pong !== undefined && this.phase === Phase.open) this.#tell(handlers.pong);
          break;
        case FrameEvent.close:
          this.#takeClose(parser.closeCode, parser.payload.toString('utf8', parser.start, parser.end));
          return;
        case FrameEvent.failed:
          this.fail(parser.closeCode, parser.reason);
          return;
        default:
          event satisfies never;
      }
    }
  }

  #takeMessage(): void {
    const { handlers, maxPayloadLength } = this.settings;
    const data = decodeMessage(this.#parser, this.deflate, maxPayloadLength, this.binaryType);
    if (typeof data === 'number') {
      this.fail(data, data === CloseCode.tooBig ? 'the message is too big' : 'the message is not valid');
      return;
    }
    try {
      this.#settle(handlers.message(this, data as string | Buffer));
    } catch (error) {
      this.group.report(error);
    }
  }

  #takePing(): void {
    const { payload, start, end } = this.#parser;
    const output = this.output;
    if (output.isBlocked && output.bufferedBytes > PONG_LIMIT) this.#owedPong = copyOf(payload, start, end);
    else output.frame(FirstByte.pong, payload.subarray(start, end));
    const { handlers } = this.settings;
    if (handlers.ping !== undefined) this.#tell(handlers.ping);
  }

  #tell(handler: (socket: ServerSocket<D>, data: Buffer) => void | Promise<void>): void {
    const { payload, start, end } = this.#parser;
    try {
      this.#settle(handler.call(this.settings.handlers, this, copyOf(payload, start, end)));
    } catch (error) {
      this.group.report(error);
    }
  }

  /** RFC 6455 §5.5.1: the client's close frame is answered with its own code, unless it is the answer. */
  #takeClose(code: number, reason: string): void {
    if (this.phase === Phase.open) this.output.frame(FirstByte.close, closePayload(code, ''));
    this.shut(code, reason);
  }

  /** Reports the failure of an asynchronous handler; nothing waits for its success. */
  #settle(result: unknown): void {
    if (result !== undefined && result instanceof Promise) result.catch((error) => this.group.report(error));
  }
}
