/**
 * One client as a socket with phases: what it waits for, each phase's deadline, what is sent, and the end. Owns the socket, unparsed
 * input, and the current exchange; everything else is borrowed from the engine. `answering-connection.ts` adds answers, `relaying-connection.ts` those of others, `connection.ts`
 * what is read: layers of one object, because every field and call between them is on the path of every request.
 */
import { Persistence, type PersistenceValue } from '../http/reply.ts';
import { tellDone } from './answering.ts';
import { ClientGone } from './client-gone.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type Exchange, Responding } from './exchange.ts';
import { LINGER_MAX_MS, LINGER_QUIET_MS } from './limits.ts';
import type { LiveConnection } from './live-connection.ts';
import { deadlineOf, Phase, type PhaseValue } from './phase.ts';
import { type TransportSocket, WriteResult } from './transport.ts';
import type { UnparsedInput } from './unparsed-input.ts';
import { Wire } from './wire.ts';

export abstract class PhasedConnection implements LiveConnection {
  phase: PhaseValue = Phase.idle;
  deadline = 0;
  index = 0;
  readonly engine: ConnectionHost;
  /** Owned: destroyed only in close(), unless its socket was handed over. */
  protected readonly wire: Wire;
  /** Owned: given back to the engine with its answer. */
  protected exchange: Exchange | null = null;
  /** Owned: an unfinished head, or what arrived after a request that is still being answered. */
  protected unparsed: UnparsedInput | null = null;
  /** When the request began to arrive, if it did not arrive at once; otherwise 0. */
  protected requestStart = 0;
  protected requestCount = 0;
  /** The last answer is out: whatever follows is dropped. */
  protected isLast = false;
  /** What the current streamed answer says about the connection. */
  protected persistence: PersistenceValue = Persistence.keepAlive;
  /** The client has half-closed, and everything that it sent has been read. */
  protected isClientDone = false;
  /** The client has half-closed while it was being answered, or before it had taken an answer. */
  protected hasClientEnded = false;
  /** Bytes are being processed: output leaves when that is done. */
  protected isProcessing = false;
  protected lingerEnd = 0;

  constructor(engine: ConnectionHost, socket: TransportSocket) {
    this.engine = engine;
    this.wire = new Wire(engine.transport, socket, engine.output);
    this.deadline = engine.idleDeadline;
  }

  onFailure(): void {
    this.close();
  }

  onDrain(idleDeadline: number): void {
    if (this.phase === Phase.idle) this.deadline = Math.min(this.deadline, idleDeadline);
  }

  close(): void {
    if (this.phase === Phase.closed) return;
    this.phase = Phase.closed;
    this.unparsed = null;
    this.abandonExchange();
    this.wire.destroy();
    this.engine.forget(this);
  }

  protected get isClosed(): boolean {
    return this.phase === Phase.closed;
  }

  protected get isAnswering(): boolean {
    return this.phase === Phase.handler || this.phase === Phase.stream;
  }

  /** Sends the output; after the last answer, begins to end. */
  protected flush(): void {
    if (this.phase === Phase.closed || !this.write() || !this.isLast || this.exchange !== null) return;
    // Nothing more can arrive that would cause a reset, so do not wait for the client's FIN (20 % of such a connection's cost).
    if (this.isClientDone || this.hasClientEnded) this.close();
    else this.linger();
  }

  /** True if the kernel has taken everything; otherwise the connection waits for that, or has failed. */
  protected write(): boolean {
    switch (this.wire.send()) {
      case WriteResult.done:
        return this.phase !== Phase.send;
      case WriteResult.pending:
        this.wait(Phase.send);
        return false;
      default:
        this.close();
        return false;
    }
  }

  protected wait(phase: PhaseValue): void {
    const { clock, idleDeadline, limits } = this.engine;
    this.phase = phase;
    // A shortcut for the usual case.
    if (phase === Phase.idle) {
      this.deadline = idleDeadline;
      return;
    }
    if ((phase === Phase.head || phase === Phase.body) && this.requestStart === 0) this.requestStart = clock.now;
    if (phase === Phase.send) this.wire.watch();
    const timeoutMs = this.exchange?.timeoutMs ?? -1;
    this.deadline = deadlineOf(phase, limits, {
      now: clock.now,
      idleDeadline,
      requestStart: this.requestStart,
      timeoutMs,
    });
    // A client that has ended and is gone shows it only when it is sent something; a stalled source would never be ended.
    if (phase === Phase.stream && this.hasClientEnded)
      this.deadline = Math.min(this.deadline, clock.now + LINGER_QUIET_MS);
  }

  /** Waits for the kernel first, if it has not taken everything. */
  protected waitUnlessSending(phase: PhaseValue): void {
    if (this.phase !== Phase.send) this.wait(phase);
  }

  protected requestDeadline(): number {
    return this.requestStart + this.engine.limits.requestTimeoutMs;
  }

  /** Half-closes, and reads on for a while: a reset could destroy the answer before it is read (RFC 9112 §9.6). */
  protected linger(): void {
    if (this.phase === Phase.closed || this.phase === Phase.linger) return;
    const { clock } = this.engine;
    this.phase = Phase.linger;
    this.unparsed = null;
    this.lingerEnd = clock.now + LINGER_MAX_MS;
    this.deadline = clock.now + LINGER_QUIET_MS;
    this.wire.end();
  }

  /** The answer cannot be completed. */
  protected cutOff(): void {
    this.wire.reset();
    this.close();
  }

  protected endExchange(): void {
    const exchange = this.exchange;
    if (exchange === null) return;
    this.exchange = null;
    this.engine.returnExchange(exchange);
  }

  /** As `endExchange`, without an answer. */
  protected abandonExchange(): void {
    const exchange = this.exchange;
    if (exchange === null) return;
    if (exchange.responding === Responding.pending || exchange.responding === Responding.streaming) {
      tellDone(this.engine, exchange, exchange.writer?.bytes ?? 0, true);
    }
    exchange.abort(new ClientGone());
    this.endExchange();
  }

  abstract onDeadline(): void;
}
