/**
 * One WebSocket client as a connection with phases: whether it is there, and how it ends. Owns that connection and the client's own
 * compressors. `sending-socket.ts` adds what the program sends, `socket.ts` what the client does: layers of one object, because
 * every call between them is on the path of every message.
 */
import type { Buffer } from 'node:buffer';
import type { SocketOwner, TransportSocket } from '../engine/transport.ts';
import { CloseCode, closePayload, isSendableCloseCode } from './close-codes.ts';
import type { DeflateAgreement } from './deflate-negotiation.ts';
import { FirstByte } from './frame-encoder.ts';
import { Liveness, Verdict } from './liveness.ts';
import type { SocketSettings } from './options.ts';
import { SocketDeflate } from './socket-deflate.ts';
import { SocketOutput } from './socket-output.ts';
import type { WebSockets } from './web-sockets.ts';

export const Phase = {
  open: 1,
  /** We have sent a close frame and wait for the client's. */
  closing: 2,
  /** The closing handshake is over: we have sent FIN and wait for the client's, so that no reset destroys our close frame. */
  lingering: 3,
  closed: 4,
} as const;
export type PhaseValue = (typeof Phase)[keyof typeof Phase];

/** How long we wait for the client's close frame, and then for its FIN. */
export const CLOSE_TIMEOUT_MS = 10_000;

/** What the handshake agreed on. */
export interface SocketSession {
  readonly protocol: string;
  readonly remoteAddress: string;
  readonly deflate: DeflateAgreement | null;
}

export abstract class PhasedSocket implements SocketOwner {
  readonly protocol: string;
  readonly remoteAddress: string;
  protected phase: PhaseValue = Phase.open;
  protected readonly group: WebSockets;
  protected readonly settings: SocketSettings;
  /** Owned: destroyed in end(). */
  readonly #socket: TransportSocket;
  protected readonly output: SocketOutput;
  /** Owned: closed with the socket. */
  protected readonly deflate: SocketDeflate | null;
  protected readonly liveness: Liveness;
  /** No more is read before the client has taken what waits for it. */
  protected isPaused = false;
  #isCloseTold = false;
  /** While closing and lingering. */
  #deadline = 0;

  constructor(group: WebSockets, socket: TransportSocket, settings: SocketSettings, session: SocketSession) {
    this.protocol = session.protocol;
    this.remoteAddress = session.remoteAddress;
    this.group = group;
    this.settings = settings;
    this.#socket = socket;
    this.output = new SocketOutput(group.transport, socket, this, group.writers);
    const { deflate } = settings;
    this.deflate =
      session.deflate === null || deflate === null
        ? null
        : new SocketDeflate(session.deflate, deflate, group.sharedDeflate);
    this.liveness = new Liveness(group.now);
  }

  get readyState(): 1 | 2 | 3 {
    if (this.phase === Phase.open) return 1;
    return this.phase === Phase.closing ? 2 : 3;
  }

  abstract onData(bytes: Buffer, length: number): void;
  abstract onWritten(): void;

  /** Releases what only an open socket needs. */
  protected abstract release(): void;
  protected abstract tellClose(code: number, reason: string): void;

  /** Begins the closing handshake. `close` is called when the client has answered, or after ten seconds without progress. */
  close(code: number = CloseCode.normal, reason = ''): void {
    if (!isSendableCloseCode(code))
      throw new RangeError(`the close code must be one of 1000 to 1003, 1007 to 1014 or 3000 to 4999, got ${code}`);
    if (this.phase !== Phase.open) return;
    this.phase = Phase.closing;
    this.#deadline = this.group.now + CLOSE_TIMEOUT_MS;
    this.release();
    this.output.frame(FirstByte.close, closePayload(code, reason));
    // Read on, or the client's close frame would wait behind our queue.
    this.resume();
  }

  /** Ends at once, without a close frame. */
  terminate(): void {
    this.end(CloseCode.abnormal, '');
  }

  onEnd(): void {
    this.end(CloseCode.abnormal, '');
  }

  onFailure(): void {
    this.end(CloseCode.abnormal, '');
  }

  /** Called at every tick of the engine's clock. */
  onTick(now: number): void {
    const { idleTimeoutMs, sendPings } = this.settings;
    const { liveness, output } = this;
    liveness.look(now, output.pendingBytes, output.writeCount, sendPings);
    if (this.phase !== Phase.open) {
      // Our close frame is behind everything that was sent before it.
      if (liveness.isTaking) this.#deadline = now + CLOSE_TIMEOUT_MS;
      if (now >= this.#deadline) this.end(CloseCode.abnormal, '');
      return;
    }
    const verdict = liveness.judge(now, idleTimeoutMs, sendPings, !this.isPaused);
    if (verdict === Verdict.dead) this.end(CloseCode.abnormal, '');
    else if (verdict === Verdict.ping) this.ping();
  }

  abstract ping(data?: string | Uint8Array): number;

  /** Closes a connection that has broken the rules. */
  protected fail(code: number, reason: string): void {
    if (this.phase === Phase.open) this.output.frame(FirstByte.close, closePayload(code, reason));
    if (this.phase <= Phase.closing) this.shut(code, reason);
  }

  /** The closing handshake is over. */
  protected shut(code: number, reason: string): void {
    if (this.phase > Phase.closing) return;
    this.phase = Phase.lingering;
    this.#deadline = this.group.now + CLOSE_TIMEOUT_MS;
    this.output.end();
    this.resume();
    this.#forget(code, reason);
  }

  /** Closes both directions at once. */
  protected end(code: number, reason: string): void {
    if (this.phase === Phase.closed) return;
    this.phase = Phase.closed;
    this.output.close();
    this.group.transport.destroy(this.#socket);
    this.group.remove(this);
    this.#forget(code, reason);
  }

  protected pause(): void {
    this.isPaused = true;
    this.group.transport.pause(this.#socket);
  }

  protected resume(): void {
    if (!this.isPaused || this.phase === Phase.closed) return;
    this.isPaused = false;
    this.liveness.renew(this.group.now);
    this.group.transport.resume(this.#socket);
  }

  /** Tells the program, once. */
  #forget(code: number, reason: string): void {
    this.release();
    this.deflate?.close();
    if (this.#isCloseTold) return;
    this.#isCloseTold = true;
    this.tellClose(code, reason);
  }
}
