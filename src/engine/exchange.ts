/**
 * One request and its answer: how far it has been read, how far it has been answered. Taken from the engine's pool with the first
 * byte of a request and put back after its answer, so an idle connection holds none.
 */
import type { Buffer } from 'node:buffer';
import { type Fields, renderFields } from '../http/fields.ts';
import { Outcome } from '../http/outcome.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { type Reply, ReplyKind } from '../http/reply.ts';
import { RequestParser } from '../http/request-parser.ts';
import { reasonPhrase } from '../http/status.ts';
import type { Address, PeerCredentials } from './address.ts';
import { ClientGone } from './client-gone.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { EngineLimits } from './limits.ts';
import type { RelayHost, RelayReply } from './relay.ts';
import type { RequestBody } from './request-body.ts';
import type { RequestView, ViewSource } from './request-view.ts';
import type { AnswerWriter } from './stream-writer.ts';

/** How far the request has been read. */
export const Reading = { head: 0, content: 1, done: 2 } as const;
export type ReadingValue = (typeof Reading)[keyof typeof Reading];

/** How far it has been answered. */
export const Responding = {
  /** The handler has not been called. */
  uncalled: 0,
  /** It owes its answer. */
  pending: 1,
  /** It has given it. */
  ready: 2,
  /** The answer is on its way, in pieces. */
  streaming: 3,
  /** The answer is out; content of the request may still come. */
  done: 4,
} as const;
export type RespondingValue = (typeof Responding)[keyof typeof Responding];

/** What an exchange needs of the connection it takes place on. */
export interface ExchangeHost {
  readonly engine: Pick<ConnectionHost, 'state' | 'waitUntil' | 'whenDraining' | 'everyTick'>;
  remoteAddress(): Address;
  localAddress(): Address;
  peerCredentials(): PeerCredentials | null;
  /** The handler's promise has settled: `reply` is set, or `error` says why not. */
  onSettled(exchange: Exchange, error: unknown): void;
  /** The handler waits for more content. */
  onContentWanted(): void;
  /** The limits on time have changed. */
  onTimeoutSet(): void;
  sendInterim(text: string): void;
}

export class Exchange implements ViewSource {
  reading: ReadingValue = Reading.head;
  responding: RespondingValue = Responding.uncalled;
  /** Set while `responding` is ready. */
  reply: Reply | null = null;
  /** Set while `responding` is streaming. */
  writer: AnswerWriter | null = null;
  /** Set from its beginning: the answer is, or will be, passed on by it, and it gets the content. */
  relay: RelayReply | null = null;
  readonly parser: RequestParser;
  view: RequestView;
  /** Content that was dropped. */
  droppedBytes = 0;
  /** As the handler has set it, in milliseconds; -1: as the limits say. */
  timeoutMs = -1;
  /** When the handler was called, if somebody wants to know. */
  startedAt = 0;
  /** Content that the handler has read synchronously turned out to be refused. */
  refusalReason: RefusalReason | null = null;
  /** While the handler is called: how far content has been read in what has arrived. */
  position = 0;
  readonly limits: EngineLimits;
  readonly #makeView: () => RequestView;
  /** null while it lies in the pool, and once its connection has closed. */
  #host: ExchangeHost | null = null;
  /** While the handler is called: what has arrived, from `position` to #end. */
  #arrived: Buffer | null = null;
  #end = 0;
  #controller: AbortController | null = null;
  /** The client has ended its side: nearly always it is gone, and nobody can tell. */
  #clientEnd: Error | null = null;
  #sent: PromiseWithResolvers<void> | null = null;

  constructor(limits: EngineLimits, makeView: () => RequestView) {
    this.limits = limits;
    this.#makeView = makeView;
    this.view = makeView();
    this.parser = new RequestParser(limits);
  }

  /** Starts the next request, of `host`. */
  begin(host: ExchangeHost): void {
    this.#host = host;
  }

  /** Its connection has closed, or the answer cannot be given any more. */
  abort(error: Error): void {
    this.#host = null;
    if (this.responding === Responding.ready) this.reply?.discard();
    this.view.openedBody?.fail(error);
    this.writer?.abort(error);
    // No promise will settle.
    if (this.relay !== null) this.responding = Responding.done;
    this.#controller?.abort(error);
    if (this.#sent !== null) {
      // Nobody may be waiting.
      this.#sent.promise.catch(ignore);
      this.#sent.reject(error);
    }
  }

  /** Ends it, for the next request. */
  end(): void {
    this.view.openedBody?.abandon('the request has been answered');
    this.#host = null;
    this.#arrived = null;
    this.reply = null;
    this.writer = null;
    this.relay = null;
    this.reading = Reading.head;
    this.responding = Responding.uncalled;
    this.timeoutMs = -1;
    this.droppedBytes = 0;
    this.refusalReason = null;
    this.#controller = null;
    this.#clientEnd = null;
    this.#sent = null;
    this.parser.reset();
    const { view } = this;
    if (view.isKept) view.detach();
    else view.close();
    if (view.isKept || view.isLent) this.view = this.#makeView();
  }

  /** Opens the view on a head that begins at bytes[base]; bytes[from, end) came behind it. */
  open(bytes: Buffer, base: number, from: number, end: number): void {
    this.view.open(this, this.parser, bytes, base);
    this.#arrived = bytes;
    this.position = from;
    this.#end = end;
  }

  /** The handler has returned: what has arrived is no longer the handler's to read. */
  closeArrived(): void {
    this.#arrived = null;
  }

  /** Waits for the handler's promise. */
  waitFor(promise: Promise<Reply>): void {
    this.responding = Responding.pending;
    promise.then(this.#onReply, this.#onError);
  }

  /** The handler's answer is one that is passed on, and that has not begun. */
  get isRelayDue(): boolean {
    return this.responding === Responding.ready && (this.reply as Reply).kind === ReplyKind.relay;
  }

  beginRelay(host: RelayHost): void {
    const relay = this.reply as RelayReply;
    this.relay = relay;
    this.writer = relay;
    this.responding = Responding.pending;
    this.timeoutMs = 0;
    relay.begin(host);
  }

  /** `reply` takes the place of an answer that was to be passed on. */
  replaceRelay(reply: Reply): void {
    this.relay = null;
    this.writer = null;
    this.timeoutMs = -1;
    this.reply = reply;
    this.responding = Responding.ready;
  }

  /** Takes what resolves `sent`, if the handler has asked for it. */
  takeSent(): PromiseWithResolvers<void> | null {
    const sent = this.#sent;
    this.#sent = null;
    return sent;
  }

  get body(): RequestBody | null {
    return this.view.openedBody;
  }

  get #isUnanswered(): boolean {
    return this.responding === Responding.uncalled || this.responding === Responding.pending;
  }

  get contentLength(): number {
    return this.parser.contentLength;
  }

  get maxWhole(): number {
    return this.limits.maxBodySize;
  }

  get state(): unknown {
    return this.#connection().engine.state;
  }

  remoteAddress(): Address {
    return this.#connection().remoteAddress();
  }

  localAddress(): Address {
    return this.#connection().localAddress();
  }

  peerCredentials(): PeerCredentials | null {
    return this.#connection().peerCredentials();
  }

  readArrived(body: RequestBody): boolean {
    const bytes = this.#arrived;
    if (this.reading === Reading.done) return true;
    if (bytes === null) return false;
    const { parser } = this;
    for (;;) {
      const outcome = parser.readBody(bytes, this.position, this.#end);
      this.position = parser.position;
      switch (outcome) {
        case Outcome.content:
          body.push(bytes, parser.contentStart, parser.contentEnd);
          break;
        case Outcome.complete:
          this.reading = Reading.done;
          return true;
        case Outcome.refused:
          this.refusalReason = parser.refusalReason;
          body.refuse(parser.refusalReason);
          return false;
        default:
          return false;
      }
    }
  }

  resumeContent(): void {
    this.#host?.onContentWanted();
  }

  makeSignal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#clientEnd !== null) this.#controller.abort(this.#clientEnd);
    }
    return this.#controller.signal;
  }

  /** The client has ended its side while it is answered. It may still read, so the answer goes on. */
  endClient(): void {
    this.#clientEnd = new ClientGone('the client has ended its side of the connection');
    this.#controller?.abort(this.#clientEnd);
  }

  makeSent(): Promise<void> {
    this.#sent ??= Promise.withResolvers();
    return this.#sent.promise;
  }

  setTimeout(ms: number): void {
    this.timeoutMs = ms;
    this.#host?.onTimeoutSet();
  }

  inform(status: number, fields: Fields): void {
    if (!Number.isInteger(status) || status < 102 || status > 199) {
      throw new RangeError(`the status of an interim answer must be a whole number from 102 to 199, got ${status}`);
    }
    const lines = renderFields(fields);
    // HTTP/1.0 knows no interim answers (RFC 9110 §15.2), and after the head of the answer it is too late.
    if (this.parser.line.minorVersion === 0 || !this.#isUnanswered) return;
    this.#host?.sendInterim(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${lines}\r\n`);
  }

  waitUntil(work: Promise<unknown>): void {
    this.#connection().engine.waitUntil(work);
  }

  whenDraining(listener: () => void): () => void {
    return this.#connection().engine.whenDraining(listener);
  }

  everyTick(listener: (now: number) => void): () => void {
    return this.#connection().engine.everyTick(listener);
  }

  readonly #onReply = (reply: Reply): void => {
    if (this.responding !== Responding.pending) return;
    this.reply = reply;
    this.responding = Responding.ready;
    if (this.#host === null) reply.discard();
    else this.#host.onSettled(this, null);
  };

  readonly #onError = (error: unknown): void => {
    if (this.responding !== Responding.pending) return;
    this.responding = Responding.ready;
    this.#host?.onSettled(this, error ?? new Error('the handler rejected without a reason'));
  };

  #connection(): ExchangeHost {
    if (this.#host === null) throw new Error('the client is gone');
    return this.#host;
  }
}

function ignore(): void {}
