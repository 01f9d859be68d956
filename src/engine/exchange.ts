/**
 * One request and its answer: how far it has been read, how far it has been answered, and what its handler sees of it. Taken
 * from the engine's pool with the first byte of a request and put back after its answer, so an idle connection holds none.
 */
import { Buffer } from 'node:buffer';
import type { Answer } from '../http/answer.ts';
import { HTAB, SP } from '../http/byte-classes.ts';
import type { RequestLimits } from '../http/limits.ts';
import { RequestParser } from '../http/request-parser.ts';
import type { Call } from './call.ts';
import type { Address } from './transport.ts';

/** How far the request has been read. */
export const Reading = { head: 0, content: 1, done: 2 } as const;
export type ReadingValue = (typeof Reading)[keyof typeof Reading];

/** How far it has been answered: the handler has not been called, owes its answer, or has given it. */
export const Responding = { uncalled: 0, pending: 1, ready: 2 } as const;
export type RespondingValue = (typeof Responding)[keyof typeof Responding];

/** What an exchange needs of the connection it takes place on. */
export interface ExchangeHost {
  remoteAddress(): Address;
  localAddress(): Address;
  /** The handler's promise has settled: `answer` is set, or `error` says why not. */
  onSettled(exchange: Exchange, error: unknown): void;
}

export class Exchange implements Call {
  reading: ReadingValue = Reading.head;
  responding: RespondingValue = Responding.uncalled;
  /** Set while `responding` is ready. */
  answer: Answer | null = null;
  readonly parser: RequestParser;

  /** null while it lies in the pool, and once its connection has closed. */
  #host: ExchangeHost | null = null;
  /** The head lies in #bytes, from #base on, while the handler may look at it. */
  #bytes: Buffer | null = null;
  #base = 0;
  /** The header section as text, and the same in lower case; made when a field is asked for. */
  #section: string | null = null;
  #lowered = '';

  constructor(limits: RequestLimits) {
    this.parser = new RequestParser(limits);
  }

  /** Starts the next request, of `host`. */
  begin(host: ExchangeHost): void {
    this.#host = host;
  }

  /** Its connection has closed before the handler was done; that one may go on looking at the request. */
  abandon(): void {
    this.#host = null;
  }

  /** Ends it, for the next request. */
  end(): void {
    this.#host = null;
    this.#bytes = null;
    this.#section = null;
    this.answer = null;
    this.reading = Reading.head;
    this.responding = Responding.uncalled;
    this.parser.reset();
  }

  /** Opens the view on a head that begins at bytes[base]. */
  open(bytes: Buffer, base: number): void {
    this.#bytes = bytes;
    this.#base = base;
  }

  /** Ends the view: its bytes are about to be overwritten. */
  close(): void {
    this.#bytes = null;
    this.#section = null;
  }

  /** Waits for the handler's promise; the view stays open, on a copy of the head. */
  waitFor(promise: Promise<Answer>): void {
    this.responding = Responding.pending;
    this.#bytes = Buffer.from(this.head);
    this.#base = 0;
    promise.then(this.#onAnswer, this.#onError);
  }

  get method(): string {
    const { line } = this.parser;
    return this.#text(line.methodStart, line.methodEnd);
  }

  get target(): string {
    const { line } = this.parser;
    return this.#text(line.targetStart, line.targetEnd);
  }

  get path(): string {
    const { line } = this.parser;
    if (line.queryStart >= 0) return this.#text(line.targetStart, line.queryStart - 1);
    const { target } = this;
    // Only absolute-form can hold a query that the parser has not marked.
    const end = target.indexOf('?');
    return end < 0 ? target : target.slice(0, end);
  }

  get query(): string {
    const { line } = this.parser;
    if (line.queryStart >= 0) return this.#text(line.queryStart, line.targetEnd);
    const { target } = this;
    const end = target.indexOf('?');
    return end < 0 ? '' : target.slice(end + 1);
  }

  get version(): '1.0' | '1.1' {
    return this.parser.line.minorVersion === 0 ? '1.0' : '1.1';
  }

  get head(): Uint8Array {
    const { line, fields } = this.parser;
    return this.#view().subarray(this.#base + line.methodStart, this.#base + fields.sectionEnd);
  }

  get remote(): Address {
    return this.#connection().remoteAddress();
  }

  get local(): Address {
    return this.#connection().localAddress();
  }

  header(name: string): string | null {
    const section = this.#headerSection();
    const lowered = name.toLowerCase();
    const wanted = `\n${lowered}:`;
    let found: string | null = null;
    for (let at = this.#lowered.indexOf(wanted); at >= 0; ) {
      const valueStart = at + wanted.length;
      const valueEnd = section.indexOf('\r', valueStart);
      const value = trimSpace(section, valueStart, valueEnd);
      // RFC 9110 §5.3, and RFC 9113 §8.2.3 for Cookie.
      found = found === null ? value : found + (lowered === 'cookie' ? '; ' : ', ') + value;
      at = this.#lowered.indexOf(wanted, valueEnd);
    }
    return found;
  }

  *fields(): IterableIterator<[name: string, value: string]> {
    const section = this.#headerSection();
    for (let at = 1; at < section.length; ) {
      const colon = section.indexOf(':', at);
      const end = section.indexOf('\r', colon);
      yield [section.slice(at, colon), trimSpace(section, colon + 1, end)];
      at = end + 2;
    }
  }

  readonly #onAnswer = (answer: Answer): void => {
    this.answer = answer;
    this.responding = Responding.ready;
    this.#host?.onSettled(this, null);
  };

  readonly #onError = (error: unknown): void => {
    this.responding = Responding.ready;
    this.#host?.onSettled(this, error ?? new Error('the handler rejected without a reason'));
  };

  /** Every field line with an LF before it and its CR LF behind it, without the empty line. */
  #headerSection(): string {
    const { fields } = this.parser;
    if (this.#section === null) {
      this.#section = this.#text(fields.sectionStart - 1, fields.sectionEnd - 2);
      this.#lowered = this.#section.toLowerCase();
    }
    return this.#section;
  }

  #text(start: number, end: number): string {
    return this.#view().toString('latin1', this.#base + start, this.#base + end);
  }

  #view(): Buffer {
    if (this.#bytes === null) throw new Error('a request must not be used after its handler has returned');
    return this.#bytes;
  }

  #connection(): ExchangeHost {
    if (this.#host === null) throw new Error('a request must not be used after its handler has returned');
    return this.#host;
  }
}

function trimSpace(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB;
}
