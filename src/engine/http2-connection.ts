/**
 * One client that speaks HTTP/2 (RFC 9113). Its requests get to the same handlers as those of HTTP/1. Owns the socket and the
 * streams; `http2-session.ts` reads frames.
 */
import type { Buffer } from 'node:buffer';
import { RequestParser } from '../http/request-parser.ts';
import type { Http2ErrorCode } from '../http2/frames.ts';
import type { Address, PeerCredentials } from './address.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Http2Exchange } from './http2-exchange.ts';
import type { Http2Request, StreamOwner } from './http2-request.ts';
import { Http2Session } from './http2-session.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { SessionOwner } from './http2-streams.ts';
import { LINGER_QUIET_MS } from './limits.ts';
import type { LiveConnection, OpenHttp2 } from './live-connection.ts';
import { type SocketOwner, type TransportSocket, WriteResult } from './transport.ts';

export const openHttp2: OpenHttp2 = (host, socket, leftover) => {
  const connection = new Http2Connection(host, socket);
  // One that has been read from is attached.
  if (leftover === null) host.transport.attach(socket, connection);
  else socket.owner = connection;
  // The engine must own it first.
  queueMicrotask(() => connection.begin(leftover));
  return connection;
};

class Http2Connection implements LiveConnection, SocketOwner, StreamOwner, SessionOwner {
  index = 0;
  /** While there are streams it is always due: they have deadlines of their own. */
  deadline: number;
  readonly version = '2';
  readonly host: ConnectionHost;
  readonly parser: RequestParser;
  readonly remote: Address;
  readonly local: Address;
  /** Owned: destroyed in close(). */
  readonly #socket: TransportSocket;
  readonly #session: Http2Session;
  readonly #requests = new Set<Http2Request>();
  #requestCount = 0;
  #hasBegun = false;
  /** Frames are being read, so what is put is written afterwards. */
  #isProcessing = false;
  #isScheduled = false;
  /** No new streams: GOAWAY has been put. */
  #isClosing = false;
  /** Our FIN is out, or about to be: what still comes is dropped. */
  #isEnded = false;
  #hasSentFin = false;
  #isClosed = false;
  /** To be told, when the present call is over. */
  #over: Http2Stream[] = [];

  constructor(host: ConnectionHost, socket: TransportSocket) {
    const { limits, transport } = host;
    this.host = host;
    this.parser = new RequestParser(limits);
    this.#socket = socket;
    this.remote = transport.remoteAddress(socket);
    this.local = transport.localAddress(socket);
    this.deadline = host.idleDeadline;
    this.#session = new Http2Session(this, transport, socket, limits);
  }

  /** `leftover` has arrived already. */
  begin(leftover: Buffer | null): void {
    if (this.#isClosed || this.#hasBegun) return;
    this.#hasBegun = true;
    this.#session.begin();
    if (leftover !== null && leftover.length > 0) this.onData(leftover, leftover.length);
    else this.#settle();
  }

  onData(bytes: Buffer, length: number): void {
    if (!this.#hasBegun) this.begin(null);
    if (this.#isEnded || this.#isClosed) return;
    this.#isProcessing = true;
    try {
      this.#session.take(bytes, length);
    } catch (error) {
      // A bug in the engine: it costs this connection and no other.
      this.host.report(error);
      this.close();
    }
    this.#settle();
  }

  onEnd(): void {
    this.close();
  }

  onFailure(): void {
    this.close();
  }

  onWritten(): void {
    if (this.#isClosed) return;
    const { writer } = this.#session;
    writer.isPending = false;
    this.#isProcessing = true;
    if (this.#flush() && !writer.isPending) {
      this.host.transport.resume(this.#socket);
      this.#session.goOn();
    }
    this.#settle();
  }

  onDeadline(): void {
    const { now } = this.host.clock;
    this.#isProcessing = true;
    for (const request of this.#requests) if (request.deadline <= now) request.onDeadline();
    this.#session.onTick(now);
    this.#settle();
    if (this.#requests.size > 0 || this.deadline > now || this.#isClosed) return;
    if (this.#isClosing) this.close();
    else this.#closeSoon();
  }

  /** Streams that are open are answered. */
  onDrain(): void {
    this.#closeSoon();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isEnded = true;
    this.#session.cutAll();
    // It may be an answer's own write that has failed.
    if (this.#over.length > 0) queueMicrotask(() => this.#tellOver());
    this.host.transport.destroy(this.#socket);
    this.host.forget(this);
  }

  get peer(): PeerCredentials | null {
    return this.host.transport.peerCredentials(this.#socket);
  }

  forget(request: Http2Request): void {
    if (!this.#requests.delete(request)) return;
    this.host.countRequest(-1);
    if (this.#requests.size > 0 || this.#isClosed) return;
    this.deadline = this.#isClosing ? this.host.clock.now + LINGER_QUIET_MS : this.host.idleDeadline;
    if (this.host.isClosing) this.#closeSoon();
  }

  // ---- What the session tells.

  get now(): number {
    return this.host.clock.now;
  }

  onRequest(stream: Http2Stream, fields: readonly string[]): void {
    this.deadline = 0;
    const request = new Http2Exchange(this, stream, fields);
    this.#requests.add(request);
    this.host.countRequest(1);
    if (++this.#requestCount >= this.host.limits.maxRequests) this.#closeSoon();
    request.begin();
  }

  onStreamOver(stream: Http2Stream): void {
    this.#over.push(stream);
    this.touch();
  }

  onSessionError(code: Http2ErrorCode | null): void {
    if (code !== null && !this.#isEnded) this.#session.sayGoodbye(code);
    this.#isClosing = true;
    this.#isEnded = true;
    this.#session.cutAll();
    this.touch();
  }

  touch(): void {
    if (this.#isProcessing || this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    // Not at once: other answers of this turn leave in the same write.
    setImmediate(settleLater, this);
  }

  makeRoom(): boolean {
    const { writer } = this.#session;
    if (writer.isPending) return false;
    return !writer.isFull || (this.#flush() && !writer.isPending);
  }

  /** At the end of a turn. */
  settle(): void {
    this.#isScheduled = false;
    if (!this.#isClosed) this.#settle();
  }

  #settle(): void {
    this.#isProcessing = true;
    this.#tellOver();
    this.#isProcessing = false;
    if (this.#isClosed || !this.#flush()) return;
    if (this.#isEnded || (this.#isClosing && this.#requests.size === 0)) this.#finish();
  }

  #tellOver(): void {
    while (this.#over.length > 0) {
      const over = this.#over;
      this.#over = [];
      for (const stream of over) stream.listener?.onStreamClosed();
    }
  }

  /** False: the connection is closed. */
  #flush(): boolean {
    const { writer } = this.#session;
    if (writer.isPending) return true;
    switch (writer.flush()) {
      case WriteResult.failed:
        this.close();
        return false;
      case WriteResult.pending:
        // A client that does not read is not read either, so that it cannot make us pile up answers to pings.
        this.host.transport.pause(this.#socket);
        return true;
      default:
        return true;
    }
  }

  /** Our FIN; the client's is waited for, because a reset could destroy what it has not read yet. */
  #finish(): void {
    if (this.#hasSentFin) return;
    this.deadline = this.host.clock.now + LINGER_QUIET_MS;
    const { writer } = this.#session;
    if (writer.isPending && !writer.isEmpty) return;
    this.#hasSentFin = true;
    this.#isEnded = true;
    this.host.transport.end(this.#socket);
    this.host.transport.resume(this.#socket);
  }

  /** GOAWAY; the connection ends with its last stream. */
  #closeSoon(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isClosing = true;
    this.#session.sayGoodbye(0);
    if (this.#requests.size === 0) this.deadline = this.host.clock.now + LINGER_QUIET_MS;
    this.touch();
  }
}

function settleLater(connection: Http2Connection): void {
  connection.settle();
}
