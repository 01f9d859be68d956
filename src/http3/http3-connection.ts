/**
 * One client that speaks HTTP/3 (RFC 9114), by Node's implementation on ngtcp2 and nghttp3. Its requests get to the same handlers as
 * those of HTTP/1 and 2. Owns the session and its streams.
 */
import { type Address, addressOf } from '../engine/address.ts';
import { Allowance, RESETS } from '../engine/allowance.ts';
import type { ConnectionHost } from '../engine/connection-host.ts';
import { Http2Exchange } from '../engine/http2-exchange.ts';
import type { Http2Request, StreamOwner } from '../engine/http2-request.ts';
import type { OpenedConnection } from '../engine/live-connection.ts';
import { RequestParser } from '../http/request-parser.ts';
import { isRequest, type RequestForm } from '../http2/request-rules.ts';
import { rawFieldsOf } from './fields.ts';
import type { QuicFields, QuicSession, QuicStream } from './quic.ts';
import { Http3Code, QuicRequestStream } from './quic-request-stream.ts';

const NOWHERE: Address = { address: '', port: 0, family: 'IPv4' };

export class Http3Connection implements OpenedConnection, StreamOwner {
  index = 0;
  /** While there are streams it is always due: they have deadlines of their own. */
  deadline: number;
  readonly version = '3';
  readonly host: ConnectionHost;
  readonly parser: RequestParser;
  readonly remote: Address;
  readonly local: Address;
  readonly peer = null;
  readonly #session: QuicSession;
  /** Those without a complete head, and until when it must come. */
  readonly #headless = new Map<QuicRequestStream, number>();
  readonly #streams = new Map<Http2Request, QuicRequestStream>();
  readonly #form: RequestForm = { contentLength: -1 };
  #requestCount = 0;
  readonly #resets: Allowance;
  #isClosing = false;
  #isClosed = false;

  constructor(host: ConnectionHost, session: QuicSession) {
    this.host = host;
    this.parser = new RequestParser(host.limits);
    this.#session = session;
    const { path } = session;
    this.remote = path === undefined ? NOWHERE : addressOf(path.remote.address, path.remote.port);
    this.local = path === undefined ? NOWHERE : addressOf(path.local.address, path.local.port);
    this.deadline = host.idleDeadline;
    this.#resets = new Allowance(RESETS, host.clock.now);
    session.onerror = ignore;
    session.onstream = (stream) => this.#onStream(stream);
    const onEnd = () => this.#onClose();
    session.closed.then(onEnd, onEnd);
  }

  onDeadline(): void {
    const { now } = this.host.clock;
    for (const stream of this.#streams.keys()) if (stream.deadline <= now) stream.onDeadline();
    for (const [stream, until] of this.#headless) if (until <= now) stream.abort(Http3Code.requestRejected);
    if (this.#streams.size > 0 || this.#headless.size > 0) return;
    if (this.deadline <= now) this.#closeSoon();
  }

  /** Streams that are open are answered. */
  onDrain(): void {
    this.#closeSoon();
  }

  refuse(): void {
    this.#destroy(Http3Code.excessiveLoad);
  }

  close(): void {
    this.#destroy(Http3Code.noError);
    this.#onClose();
  }

  forget(request: Http2Request): void {
    const stream = this.#streams.get(request);
    if (stream === undefined) return;
    this.#streams.delete(request);
    this.host.countRequest(-1);
    if (stream.isReset) this.#countReset();
    this.#rest();
  }

  #onStream(quic: QuicStream): void {
    const stream = new QuicRequestStream(quic);
    this.deadline = 0;
    this.#headless.set(stream, this.host.clock.now + this.host.limits.headerTimeoutMs);
    stream.onClosed = () => {
      if (!this.#headless.delete(stream)) return;
      if (stream.isReset) this.#countReset();
      this.#rest();
    };
    quic.onheaders = (fields) => {
      if (quic.early) stream.abort(Http3Code.requestRejected);
      else void this.#onHead(stream, fields);
    };
  }

  /** Handlers are told whether there is content; its length says so, or the end of the stream. */
  async #onHead(stream: QuicRequestStream, fields: QuicFields): Promise<void> {
    const length = fields['content-length'];
    if (length === undefined) {
      await nextTurn();
      // What came with the head is known by now; a client that waits for an invitation sends nothing more.
      await Promise.race([stream.findOut(), nextTurn()]);
    } else {
      stream.endAfterHeaders = length === '0';
    }
    const raw = rawFieldsOf(fields);
    // nghttp3 has seen to it; but what would end a line must never get into a head of HTTP/1.
    if (!isRequest(raw, this.#form)) {
      stream.abort(Http3Code.messageError);
      return;
    }
    // It may have closed meanwhile.
    if (!this.#headless.delete(stream)) return;
    const exchange = new Http2Exchange(this, stream, raw);
    this.#streams.set(exchange, stream);
    this.host.countRequest(1);
    if (++this.#requestCount >= this.host.limits.maxRequests) this.#closeSoon();
    exchange.begin();
  }

  /** Nothing is under way any more. */
  #rest(): void {
    if (this.#streams.size > 0 || this.#headless.size > 0) return;
    this.deadline = this.host.idleDeadline;
    if (this.host.isClosing) this.#closeSoon();
  }

  #countReset(): void {
    if (!this.#resets.take(this.host.clock.now)) this.#destroy(Http3Code.excessiveLoad);
  }

  /** GOAWAY; the session ends with its last stream. */
  #closeSoon(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isClosing = true;
    this.#session.close().catch(ignore);
  }

  #destroy(code: bigint): void {
    this.#session.destroy(undefined, { code, type: 'application' });
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.host.forget(this);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function ignore(): void {}
