/**
 * One connection to an upstream: made, used for one request after another, kept idle in between. Owns its socket.
 *
 *     connecting ─▶ busy ─▶ idle ─▶ busy …      any ─▶ closed; busy ─▶ handed over, after a 101
 */
import type { Buffer } from 'node:buffer';
import type { ConnectTarget } from '../engine/connector.ts';
import { type SocketOwner, type Transport, type TransportSocket, WriteResult } from '../engine/transport.ts';
import { Outcome } from '../http/outcome.ts';
import type { ResponseParser } from '../http/response-parser.ts';
import type { ConnectionUser } from './connection-user.ts';
import type { FailureReason } from './failures.ts';
import { type FastCgiOwner, FastCgiResponse } from './fastcgi-response.ts';
import { type ReaderOwner, ResponseReader } from './response-reader.ts';
import type { Upstream } from './upstream.ts';
import type { Watched } from './upstream-clock.ts';

const Stage = { connecting: 0, busy: 1, idle: 2, closed: 3 } as const;
type StageValue = (typeof Stage)[keyof typeof Stage];

export class UpstreamConnection implements SocketOwner, Watched, ReaderOwner, FastCgiOwner {
  index = 0;
  deadline = 0;
  /** When it became idle. */
  idleSince = 0;
  /** Requests before the current one. */
  uses = 0;
  readonly upstream: Upstream;
  user: ConnectionUser | null;
  /** The request was written completely, so another one may follow its response. */
  isRequestComplete = false;
  /** The upstream keeps an idle connection for this long, as it says. */
  keepAliveMs = Number.POSITIVE_INFINITY;

  readonly #transport: Transport;
  #stage: StageValue = Stage.connecting;
  /** Owned: destroyed in close(), unless it was handed over. */
  #socket: TransportSocket | null = null;
  /** Those that have not been tried. */
  #targets: readonly ConnectTarget[] = [];
  readonly #reader = new ResponseReader(this);
  /** null: it speaks HTTP. */
  readonly #fastCgi: FastCgiResponse | null;
  #isPaused = false;

  constructor(upstream: Upstream, user: ConnectionUser) {
    this.upstream = upstream;
    this.user = user;
    this.#transport = upstream.connector.transport;
    this.#fastCgi = upstream.settings.fastCgi === null ? null : new FastCgiResponse(this);
  }

  /** Of the response. */
  get parser(): ResponseParser {
    return this.#reader.parser;
  }

  /** Of the response, as it says; -1: it does not. */
  get contentLength(): number {
    return this.#fastCgi === null ? this.parser.contentLength : this.#fastCgi.contentLength;
  }

  get isReady(): boolean {
    return this.#stage === Stage.busy;
  }

  get isReused(): boolean {
    return this.uses > 0;
  }

  /** A response has begun. */
  get hasAnswered(): boolean {
    return this.#reader.hasBegun || this.#fastCgi?.hasBegun === true;
  }

  get isWriting(): boolean {
    return this.#socket !== null && this.#transport.pendingBytes(this.#socket) > 0;
  }

  /** Connects to the targets in turn, until one accepts. */
  open(): void {
    const { addresses, clock, settings } = this.upstream;
    clock.watch(this);
    this.deadline = clock.now + settings.timeouts.connectMs;
    addresses.whenKnown(clock.now, (error) => {
      if (this.#stage !== Stage.connecting) return;
      if (error === null) this.#connect(addresses.inTurn(clock.now));
      else this.#breakLater('nameUnknown', error);
    });
  }

  /** Taken from the pool for `user`. */
  reuse(user: ConnectionUser): void {
    this.user = user;
    this.uses++;
    this.#stage = Stage.busy;
  }

  /** Before a request is written. */
  beginRequest(isToHead: boolean, mayUpgrade: boolean): void {
    this.#reader.begin(isToHead, mayUpgrade);
    this.#fastCgi?.begin(isToHead);
    this.isRequestComplete = false;
  }

  /** The bytes must stay as they are until `onWritten` if the result is `true`: some of them are pending. */
  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (socket === null) return false;
    this.upstream.counters.bytesOut += bytes.length;
    const result = this.#transport.write(socket, bytes);
    if (result === WriteResult.failed) this.#breakLater('reset', 'write');
    return result === WriteResult.pending;
  }

  pause(): void {
    if (this.#isPaused || this.#socket === null) return;
    this.#isPaused = true;
    this.#transport.pause(this.#socket);
  }

  resume(): void {
    if (!this.#isPaused || this.#socket === null) return;
    this.#isPaused = false;
    this.#transport.resume(this.#socket);
  }

  /** After a 101: the socket, with all that follows. Its place at the upstream has to be given back by the caller. */
  takeSocket(): { socket: TransportSocket; transport: Transport } {
    const socket = this.#socket as TransportSocket;
    this.resume();
    this.#socket = null;
    this.#stage = Stage.closed;
    this.user = null;
    this.upstream.clock.forget(this);
    return { socket, transport: this.#transport };
  }

  onData(bytes: Buffer, length: number): void {
    if (this.user === null) {
      // Nobody has asked: it could be taken for the answer to the next request.
      this.upstream.counters.unsolicited++;
      this.close();
      return;
    }
    this.upstream.counters.bytesIn += length;
    if (this.#fastCgi === null) this.#reader.take(bytes, length);
    else this.#fastCgi.read(bytes, length);
  }

  takeResponse(bytes: Buffer, length: number): void {
    this.#reader.take(bytes, length);
  }

  onMessage(text: string): void {
    this.upstream.onMessage(this.upstream.own.url, text);
  }

  onInvalidResponse(reason: FailureReason, detail: string): void {
    this.#break(reason, detail);
  }

  onEnd(): void {
    const { user } = this;
    if (user === null) {
      this.close();
    } else if (this.parser.end() === Outcome.complete) {
      this.onResponseComplete(user, false);
    } else {
      this.#break('ended', '');
    }
  }

  onFailure(): void {
    if (this.user === null) this.close();
    else this.#break('reset', '');
  }

  onWritten(): void {
    if (this.#stage === Stage.busy && !this.isWriting) this.user?.onWritten();
  }

  onDeadline(): void {
    switch (this.#stage) {
      case Stage.connecting:
        this.#break('connectTimeout', '');
        break;
      case Stage.busy:
        this.#break(this.#reader.isHeadComplete || this.isWriting ? 'idleTimeout' : 'firstByteTimeout', '');
        break;
      default:
        this.close();
    }
  }

  /** Closes it; its user, if it has one, is not told. */
  close(): void {
    if (this.#stage === Stage.closed) return;
    const wasIdle = this.#stage === Stage.idle;
    this.#stage = Stage.closed;
    this.user = null;
    this.#reader.forget();
    if (this.#socket !== null) this.#transport.destroy(this.#socket);
    this.#socket = null;
    this.upstream.clock.forget(this);
    this.upstream.onClosed(this, wasIdle);
  }

  #connect([target, ...others]: readonly ConnectTarget[]): void {
    this.#targets = others;
    const socket = this.upstream.connector.connect(target as ConnectTarget, (code) => {
      if (this.#socket !== socket) return;
      if (code === null) this.#stand(socket);
      else this.#failToConnect(target as ConnectTarget, code);
    });
    this.#socket = socket;
  }

  #stand(socket: TransportSocket): void {
    this.#stage = Stage.busy;
    this.#transport.attach(socket, this);
    this.upstream.counters.connections++;
    this.user?.onReady(this);
  }

  #failToConnect(target: ConnectTarget, code: string): void {
    const { addresses, clock } = this.upstream;
    addresses.hasFailed(target, clock.now);
    this.#transport.destroy(this.#socket as TransportSocket);
    this.#socket = null;
    if (this.#targets.length > 0) this.#connect(this.#targets);
    else this.#break(code === 'ETIMEDOUT' ? 'connectTimeout' : 'connectFailed', code);
  }

  /** Bytes after a complete response belong to nothing that was asked for. */
  onResponseComplete(user: ConnectionUser, hasSurplus: boolean): void {
    const keeps = this.upstream.settings.fastCgi?.keepsConnections ?? this.parser.persists;
    const persists = keeps && this.isRequestComplete && !hasSurplus && !this.isWriting;
    if (hasSurplus) this.upstream.counters.unsolicited++;
    this.user = null;
    this.resume();
    if (persists) {
      this.#stage = Stage.idle;
      this.upstream.onIdle(this);
    } else {
      this.close();
    }
    user.onComplete();
  }

  #break(reason: FailureReason, detail: string): void {
    const { user } = this;
    this.close();
    user?.onBroken(reason, detail);
  }

  /** Not from within a call of the user's. */
  #breakLater(reason: FailureReason, detail: string): void {
    process.nextTick(() => {
      if (this.#stage !== Stage.closed) this.#break(reason, detail);
    });
  }
}
