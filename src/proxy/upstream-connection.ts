/**
 * One connection to an upstream: made, used for one request after another, kept idle in between. Owns its socket, and the bytes of
 * an unfinished head.
 *
 *     connecting ─▶ busy ─▶ idle ─▶ busy …      any ─▶ closed; busy ─▶ handed over, after a 101
 */
import { Buffer } from 'node:buffer';
import type { ConnectTarget } from '../engine/connector.ts';
import { type SocketOwner, type Transport, type TransportSocket, WriteResult } from '../engine/transport.ts';
import { UnparsedInput } from '../engine/unparsed-input.ts';
import { Outcome } from '../http/outcome.ts';
import { describeFault } from '../http/response-faults.ts';
import { ResponseParser } from '../http/response-parser.ts';
import type { ConnectionUser } from './connection-user.ts';
import type { FailureReason } from './failures.ts';
import { faultOf } from './failures.ts';
import { RESPONSE_LIMITS } from './settings.ts';
import type { Upstream } from './upstream.ts';
import type { Watched } from './upstream-clock.ts';

const Stage = { connecting: 0, busy: 1, idle: 2, closed: 3 } as const;
type StageValue = (typeof Stage)[keyof typeof Stage];

export class UpstreamConnection implements SocketOwner, Watched {
  index = 0;
  deadline = 0;
  /** When it became idle. */
  idleSince = 0;
  /** Requests before the current one. */
  uses = 0;
  readonly upstream: Upstream;
  readonly parser = new ResponseParser(RESPONSE_LIMITS);
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
  /** Owned: an unfinished head. */
  #unparsed: UnparsedInput | null = null;
  #isHeadComplete = false;
  #isPaused = false;

  constructor(upstream: Upstream, user: ConnectionUser) {
    this.upstream = upstream;
    this.user = user;
    this.#transport = upstream.connector.transport;
  }

  get isReady(): boolean {
    return this.#stage === Stage.busy;
  }

  get isReused(): boolean {
    return this.uses > 0;
  }

  /** A response has begun. */
  get hasAnswered(): boolean {
    return this.#isHeadComplete || !this.parser.isUnbegun;
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
    this.parser.begin(isToHead, mayUpgrade);
    this.#isHeadComplete = false;
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
    const unparsed = this.#unparsed;
    if (unparsed === null) {
      this.#read(bytes, 0, length);
    } else {
      unparsed.append(bytes, length);
      this.#read(unparsed.bytes, unparsed.seen, unparsed.length);
    }
  }

  onEnd(): void {
    const { user } = this;
    if (user === null) {
      this.close();
    } else if (this.parser.end() === Outcome.complete) {
      this.#complete(user, false);
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
        this.#break(this.#isHeadComplete || this.isWriting ? 'idleTimeout' : 'firstByteTimeout', '');
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
    this.#unparsed = null;
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

  /** Uses bytes[from, end); an unfinished head begins at bytes[0]. */
  #read(bytes: Buffer, from: number, end: number): void {
    const user = this.user as ConnectionUser;
    const { parser } = this;
    let base = 0;
    let at = from;
    while (!this.#isHeadComplete) {
      const outcome = parser.readHead(bytes, base, at, end);
      at = parser.position;
      if (outcome === Outcome.refused) {
        this.#refuse();
        return;
      }
      if (outcome === Outcome.needMore) {
        this.#retain(bytes, base, at, end);
        return;
      }
      if (parser.isInterim) {
        user.onInterim(bytes, base, at);
        if (this.user !== user) return;
        parser.next();
        base = at;
        continue;
      }
      this.#isHeadComplete = true;
      user.onHead(bytes, base, at);
      if (this.user !== user) return;
      if (parser.isUpgrade) {
        const leftover = bytes.subarray(at, end);
        this.#unparsed = null;
        user.onUpgrade(Buffer.from(leftover));
        return;
      }
    }
    this.#unparsed = null;
    this.#readContent(user, bytes, at, end);
  }

  #readContent(user: ConnectionUser, bytes: Buffer, from: number, end: number): void {
    const { parser } = this;
    let at = from;
    for (;;) {
      const outcome = parser.readBody(bytes, at, end);
      at = parser.position;
      if (parser.trailerStart >= 0) user.onTrailers(bytes, parser.trailerStart, at);
      switch (outcome) {
        case Outcome.content:
          user.onContent(bytes, parser.contentStart, parser.contentEnd);
          if (this.user !== user) return;
          break;
        case Outcome.complete:
          this.#complete(user, at < end);
          return;
        case Outcome.refused:
          this.#refuse();
          return;
        default:
          user.onReadEnd();
          return;
      }
    }
  }

  #retain(bytes: Buffer, base: number, seen: number, end: number): void {
    let unparsed = this.#unparsed;
    if (unparsed !== null && unparsed.bytes === bytes) {
      if (base > 0) unparsed.drop(base);
    } else {
      this.#unparsed = unparsed = new UnparsedInput(bytes, base, end);
    }
    unparsed.seen = seen - base;
  }

  /** Bytes after a complete response belong to nothing that was asked for. */
  #complete(user: ConnectionUser, hasSurplus: boolean): void {
    const persists = this.parser.persists && this.isRequestComplete && !hasSurplus && !this.isWriting;
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

  #refuse(): void {
    const { fault } = this.parser;
    this.#break(faultOf(fault), describeFault(fault));
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
