/**
 * One client: reads what arrives, and has every request answered in turn.
 *
 *        ┌────────────────── the answer is out, more may come ──────────────────┐
 *        ▼                                                                      │
 *      idle ─▶ head ─▶ body, handler, stream and send, in any order, each only ─┤
 *        │             if there is something to wait for                        │ the last answer is out
 *        ▼                                                                      ▼
 *      closed ◀────────────────────────────────────────────────────────────── linger
 */
import { Buffer } from 'node:buffer';
import { Outcome } from '../http/outcome.ts';
import { callHandler } from './answering.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Content, readContent } from './content.ts';
import { type Exchange, Reading, Responding, type RespondingValue } from './exchange.ts';
import { LINGER_QUIET_MS } from './limits.ts';
import { Phase } from './phase.ts';
import { RelayingConnection } from './relaying-connection.ts';
import type { SocketOwner, TransportSocket } from './transport.ts';
import { UnparsedInput } from './unparsed-input.ts';

const NOTHING = Buffer.alloc(0);
/** RFC 9113 §3.4. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** The first protocol of a plain socket. */
export function openHttp1(host: ConnectionHost, socket: TransportSocket): Connection {
  const connection = new Connection(host, socket);
  host.transport.attach(socket, connection);
  return connection;
}

export class Connection extends RelayingConnection implements SocketOwner {
  onData(bytes: Buffer, length: number): void {
    switch (this.phase) {
      case Phase.linger:
        this.deadline = Math.min(this.engine.clock.now + LINGER_QUIET_MS, this.lingerEnd);
        return;
      case Phase.handler:
      case Phase.stream:
        this.#keepForLater(bytes, length);
        return;
      default:
        if (this.unparsed === null) {
          this.#process(bytes, 0, length);
        } else {
          this.unparsed.append(bytes, length);
          this.#processUnparsed();
        }
    }
  }

  onEnd(): void {
    switch (this.phase) {
      case Phase.handler:
      case Phase.stream:
      case Phase.send:
        this.hasClientEnded = true;
        this.exchange?.endClient();
        if (this.phase === Phase.stream) this.wait(Phase.stream);
        return;
      case Phase.head:
      case Phase.body:
        // Nothing more can come, so there is nothing to linger for.
        this.hasClientEnded = true;
        this.refuse('ended');
        return;
      default:
        this.close();
    }
  }

  onWritten(): void {
    if (this.phase !== Phase.send || this.wire.isPending) return;
    this.phase = Phase.idle;
    this.wire.resolveSent();
    switch (this.exchange?.responding) {
      case Responding.pending:
        this.wait(Phase.handler);
        if (this.exchange?.reading === Reading.content) this.continue();
        break;
      case Responding.streaming:
        this.wait(Phase.stream);
        this.exchange.writer?.onDrained();
        if (this.exchange?.reading === Reading.content) this.continue();
        break;
      default:
        this.continue();
    }
  }

  /** The deadline has passed. */
  onDeadline(): void {
    switch (this.phase) {
      case Phase.idle:
        this.linger();
        break;
      case Phase.head:
        this.refuse('headTooSlow');
        break;
      case Phase.body:
        this.refuse(this.deadline < this.requestDeadline() ? 'bodyTooSlow' : 'requestTooSlow');
        break;
      case Phase.handler:
        this.refuse('handlerTooSlow');
        break;
      case Phase.send:
        if (this.wire.hasProgressed) this.wait(Phase.send);
        else this.close();
        break;
      case Phase.stream:
        this.cutOff();
        break;
      case Phase.linger:
      case Phase.closed:
        this.close();
    }
  }

  /** Uses bytes[from, end); bytes[0] is the first byte of the current head, if one has begun. */
  #process(bytes: Buffer, from: number, end: number): void {
    this.isProcessing = true;
    try {
      this.#retain(bytes, this.#run(bytes, from, end), end);
      this.isProcessing = false;
      this.flush();
    } catch (error) {
      // A bug in the engine: it costs this connection and no other.
      this.isProcessing = false;
      this.engine.output.take();
      this.engine.report(error);
      this.close();
    }
  }

  #processUnparsed(): void {
    const unparsed = this.unparsed;
    if (unparsed === null) this.#process(NOTHING, 0, 0);
    else this.#process(unparsed.bytes, unparsed.seen, unparsed.length);
  }

  /** Parses and answers as far as it gets. Returns the index of the first byte that is needed again. */
  #run(bytes: Buffer, from: number, end: number): number {
    const { output } = this.engine;
    let base = 0;
    let at = from;
    while (!this.isLast) {
      if (this.phase === Phase.send) return at;
      if (this.exchange === null && at === end) {
        this.wait(Phase.idle);
        return end;
      }
      this.exchange ??= this.engine.takeExchange(this);
      const exchange = this.exchange;
      const { parser } = exchange;
      if (exchange.reading === Reading.head) {
        const outcome = parser.readHead(bytes, base, at, end);
        if (outcome === Outcome.refused) {
          if (this.requestCount === 0 && this.#isHttp2(bytes, end)) return end;
          this.pushRefusal(parser.refusalReason);
          return end;
        }
        if (outcome === Outcome.needMore) {
          this.wait(parser.isBetweenRequests ? Phase.idle : Phase.head);
          return parser.isBetweenRequests ? end : base;
        }
        this.requestCount++;
        exchange.reading = parser.hasBody ? Reading.content : Reading.done;
        exchange.open(bytes, base, parser.position, end);
        const reason = callHandler(this.engine, exchange);
        if (reason !== null) {
          this.pushRefusal(reason);
          return end;
        }
      } else {
        exchange.position = at;
      }
      if (exchange.isRelayDue) exchange.beginRelay(this);
      if (exchange.reading === Reading.content && !this.#takeContent(exchange, bytes, end)) {
        return this.exchange === null ? end : exchange.position;
      }
      at = exchange.position;
      switch (exchange.responding) {
        case Responding.pending:
          this.waitUnlessSending(Phase.handler);
          return at;
        case Responding.streaming:
          this.waitUnlessSending(Phase.stream);
          return at;
        case Responding.ready:
          this.respond(exchange, bytes, at, end);
          if (this.isClosed || this.exchange === null) return end;
          if ((exchange.responding as RespondingValue) !== Responding.done) continue;
          // Content that is still to come is dropped before the next request.
          if (exchange.reading === Reading.content && !this.isLast) continue;
          break;
        default:
      }
      this.endExchange();
      base = at;
      if (output.isFull && at < end && !this.write()) return at;
    }
    return end;
  }

  /** Whether the client begins HTTP/2, from prior knowledge (RFC 9113 §3.3), and is let. */
  #isHttp2(bytes: Buffer, end: number): boolean {
    const { engine } = this;
    if (
      engine.openHttp2 === null ||
      !HTTP2_PREFACE.startsWith(bytes.toString('latin1', 0, Math.min(end, HTTP2_PREFACE.length)))
    )
      return false;
    this.endExchange();
    this.phase = Phase.closed;
    engine.replace(this, engine.openHttp2(engine, this.wire.socket, Buffer.from(bytes.subarray(0, end))));
    return true;
  }

  /** Reads content as far as it gets, and sets what to wait for. False: nothing more can be done now. */
  #takeContent(exchange: Exchange, bytes: Buffer, end: number): boolean {
    const { limits, output } = this.engine;
    switch (readContent(exchange, bytes, end, limits.maxDropped, output)) {
      case Content.complete:
        return true;
      case Content.needMore:
        this.waitUnlessSending(Phase.body);
        return false;
      case Content.unwanted:
        // The handler is slower than the client, which has to wait.
        if (exchange.body !== null || exchange.relay !== null) this.wire.pause();
        this.waitUnlessSending(exchange.responding === Responding.streaming ? Phase.stream : Phase.handler);
        return false;
      case Content.answerFirst:
        if (exchange.responding !== Responding.done) return true;
        this.isLast = true;
        return true;
      case Content.refused:
        this.pushRefusal(exchange.parser.refusalReason);
        return false;
    }
  }

  /** Goes on with saved bytes, after waiting for the handler or for the kernel. */
  protected continue(): void {
    this.wire.resume();
    const exchange = this.exchange;
    if (this.isLast && exchange === null) {
      if (this.hasClientEnded) this.close();
      else this.linger();
      return;
    }
    // The handler has failed: the content of its request, and more, may still come.
    if (this.isLast && exchange !== null) {
      if (exchange.responding === Responding.ready) this.respond(exchange, NOTHING, 0, 1);
      this.endExchange();
    }
    this.#processUnparsed();
    if (this.hasClientEnded && !this.isAnswering) this.onEnd();
  }

  /** Saves bytes that arrive while the handler is at work, and stops reading. */
  #keepForLater(bytes: Buffer, length: number): void {
    if (this.unparsed === null) this.unparsed = new UnparsedInput(bytes, 0, length);
    else this.unparsed.append(bytes, length);
    this.wire.pause();
  }

  /** Saves bytes[start, end) and nothing else. */
  #retain(bytes: Buffer, start: number, end: number): void {
    const exchange = this.exchange;
    // A relay has taken what it needs; who is told of answers wants to see the request.
    const isViewed = exchange !== null && (exchange.relay === null || this.engine.done !== null);
    if (isViewed && exchange.reading !== Reading.head) exchange.view.keepHead();
    if (start === end || (this.isLast && exchange === null) || this.phase === Phase.closed) {
      this.unparsed = null;
      return;
    }
    let unparsed = this.unparsed;
    if (bytes === unparsed?.bytes) unparsed.drop(start);
    else this.unparsed = unparsed = new UnparsedInput(bytes, start, end);
    unparsed.seen = this.phase === Phase.head ? unparsed.length : 0;
  }
}
