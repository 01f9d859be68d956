/** The client's side of a request that is passed on: its content as it comes, or kept until its length is known. Owns what is kept. */
import type { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import type { RelayHost } from '../engine/relay.ts';
import { textAnswer } from '../http/answer.ts';
import { ContentSpool } from './content-spool.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import { ProxiedAttempts } from './proxied-attempts.ts';
import type { Asked } from './request-head.ts';
import type { AnswerLook, ReverseProxy } from './reverse-proxy.ts';

export abstract class ProxiedRequest extends ProxiedAttempts {
  /** What the request may still bring; below 0: it is too large. */
  #contentLeft: number;
  #trailers = '';
  /** Owned: closed when all of it has been put, or in release(). null: content is passed on as it comes. */
  #spool: ContentSpool | null = null;

  constructor(
    proxy: ReverseProxy,
    call: Call,
    scheme: Asked['scheme'],
    target: string | null,
    script: Asked['script'],
    look: AnswerLook | null,
    maxContent: number,
  ) {
    super(proxy, call, scheme, target, script, look);
    this.#contentLeft = maxContent;
  }

  get isWanted(): boolean {
    return this.#spool !== null || this.request?.hasRoom === true;
  }

  protected get isKept(): boolean {
    return this.#spool !== null;
  }

  begin(host: RelayHost): void {
    this.host = host;
    this.isToHead = host.isToHead;
    this.length = host.requestLength;
    this.request = new OutgoingRequest();
    if (this.length < 0 && !this.proxy.writer.takesUnknownLength) this.#beginSpool(host);
    else this.#start(this.request);
  }

  /** All content is waited for: only then its length can be said. */
  #beginSpool(host: RelayHost): void {
    this.call.keep();
    this.#spool = new ContentSpool();
    const expects = this.call.header('expect')?.toLowerCase() === '100-continue';
    if (expects && host.minorVersion > 0) host.sendInterim('HTTP/1.1 100 Continue\r\n\r\n');
  }

  #start(request: OutgoingRequest): void {
    const proxy = this.proxy;
    const choice = proxy.group.choose(this.call, null);
    if (choice === null) {
      this.fail(null, 'noneHealthy', '');
      return;
    }
    this.upstream = choice;
    this.stickyField = proxy.group.stickyField;
    this.writeHead(request, choice);
    if (proxy.headsDiffer) this.call.keep();
    if (this.length !== 0) return;
    request.isComplete = true;
    this.attempt(false);
  }

  push(bytes: Buffer, start: number, end: number): void {
    const request = this.request;
    if (request === null) return;
    this.#contentLeft -= end - start;
    if (this.#contentLeft < 0) return;
    if (this.#spool !== null) this.#keep(this.#spool, bytes, start, end);
    else this.proxy.writer.putContent(request, bytes, start, end, this.length);
  }

  pushTrailers(bytes: Buffer, start: number, end: number): void {
    this.#trailers += bytes.toString('latin1', start, end);
  }

  flush(): void {
    if (this.request === null) return;
    if (this.#contentLeft < 0) this.#refuseContent();
    // Once something has been put, content comes from there.
    else if (this.#spool !== null) return;
    else if (this.attempts === 0) this.attempt(false);
    else this.send();
  }

  complete(): void {
    const request = this.request;
    if (request === null) return;
    if (this.#contentLeft < 0) {
      this.#refuseContent();
      return;
    }
    const spool = this.#spool;
    if (spool !== null) {
      this.length = spool.length;
      // Content that is none ends with the head.
      if (spool.length === 0) this.#spool = null;
      this.#start(request);
      if (this.length > 0 && this.request !== null) this.attempt(false);
      return;
    }
    request.isComplete = true;
    this.proxy.writer.putEnd(request, this.#trailers, this.length);
    this.flush();
  }

  #keep(spool: ContentSpool, bytes: Buffer, start: number, end: number): void {
    try {
      spool.put(bytes, start, end);
    } catch (error) {
      this.#failToKeep(error);
    }
  }

  protected putKept(request: OutgoingRequest): void {
    const spool = this.#spool;
    try {
      if (spool?.feed(request, this.proxy.writer) !== true) return;
      spool.close();
      this.#spool = null;
    } catch (error) {
      this.#failToKeep(error);
    }
  }

  /** The disk is full, most likely. */
  #failToKeep(error: unknown): void {
    this.connection?.close();
    this.connection = null;
    this.fail(null, 'contentNotKept', (error as Error).message);
  }

  #refuseContent(): void {
    const host = this.host as RelayHost;
    const isAnswered = this.status !== 0;
    if (!isAnswered) {
      this.#answer(413, '413 Content Too Large\n');
      return;
    }
    this.end();
    host.cutOffRelay(this);
  }

  /** Instead of an answer of an upstream. */
  #answer(status: number, text: string): void {
    const host = this.host as RelayHost;
    this.end();
    host.answerInstead(this, this.look?.error(status) ?? textAnswer(text, status));
  }

  protected override release(): void {
    super.release();
    this.#spool?.close();
    this.#spool = null;
  }
}
