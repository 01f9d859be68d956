/** A request as its handler sees it, over the bytes it arrived in. Everything is made on demand. */
import { Buffer } from 'node:buffer';
import { HTAB, SP } from '../http/byte-classes.ts';
import type { Fields } from '../http/fields.ts';
import { readLatin1 } from '../http/latin1.ts';
import type { RequestParser } from '../http/request-parser.ts';
import type { Address, PeerCredentials } from './address.ts';
import type { Call, HttpVersion, MultiplexedVersion } from './call.ts';
import { type BodySource, RequestBody } from './request-body.ts';

/** What a view needs from its exchange. */
export interface ViewSource extends BodySource {
  readonly state: unknown;
  remoteAddress(): Address;
  localAddress(): Address;
  peerCredentials(): PeerCredentials | null;
  /** Aborts when the exchange ends without its answer. */
  makeSignal(): AbortSignal;
  makeSent(): Promise<void>;
  setTimeout(ms: number): void;
  inform(status: number, fields: Fields): void;
  waitUntil(work: Promise<unknown>): void;
  whenDraining(listener: () => void): () => void;
  everyTick(listener: (now: number) => void): () => void;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

export class RequestView implements Call {
  params: Readonly<Record<string, string>> = NO_PARAMS;
  /** By which its lines in several logs are found; '' until somebody names it. */
  requestId = '';
  /** Made when a handler asks for the content. */
  openedBody: RequestBody | null = null;
  /** The view has its own copy of the bytes, so it must not be reused for another request. */
  isKept = false;
  /** Somebody may hold the view after its answer, so it must never show another request. */
  isLent = false;

  #source: ViewSource | null = null;
  #bytes: Buffer | null = null;
  // Indices in #bytes.
  #methodStart = 0;
  #methodEnd = 0;
  #targetStart = 0;
  #targetEnd = 0;
  #queryStart = -1;
  #sectionStart = 0;
  #sectionEnd = 0;
  #version: HttpVersion = '1.1';
  /** The header section as text, and the same in lower case; made when a field is asked for. */
  #section: string | null = null;
  /** Made when they are asked for, which routes, handlers and logs all do. */
  #method = '';
  #target = '';
  #lowered = '';
  #remote: Address | null = null;
  #local: Address | null = null;

  /** Shows the head that `parser` has read, which begins at bytes[base]. In HTTP/2, `bytes` must be the view's own. */
  open(source: ViewSource, parser: RequestParser, bytes: Buffer, base: number, version?: MultiplexedVersion): void {
    const { line, fields } = parser;
    this.#source = source;
    this.#bytes = bytes;
    this.#methodStart = base + line.methodStart;
    this.#methodEnd = base + line.methodEnd;
    this.#targetStart = base + line.targetStart;
    this.#targetEnd = base + line.targetEnd;
    this.#queryStart = line.queryStart < 0 ? -1 : base + line.queryStart;
    this.#sectionStart = base + fields.sectionStart;
    this.#sectionEnd = base + fields.sectionEnd;
    this.#version = version ?? (line.minorVersion === 0 ? '1.0' : '1.1');
    if (version !== undefined) this.isKept = true;
  }

  /** The bytes are about to be overwritten, and the next request is to be shown. Only for a view that is not kept. */
  close(): void {
    this.#source = null;
    this.#bytes = null;
    this.#section = null;
    this.#method = '';
    this.#target = '';
    this.#remote = null;
    this.#local = null;
    this.openedBody = null;
    this.requestId = '';
    this.params = NO_PARAMS;
  }

  /** Its exchange is over. */
  detach(): void {
    this.#source = null;
  }

  keep(): this {
    void this.remote;
    void this.local;
    this.keepHead();
    return this;
  }

  /** As `keep`, without asking the system for the addresses. */
  keepHead(): void {
    if (this.isKept) return;
    const start = this.#methodStart;
    const head = Buffer.allocUnsafe(this.#sectionEnd - start);
    this.#view().copy(head, 0, start, this.#sectionEnd);
    this.#bytes = head;
    this.#methodStart = 0;
    this.#methodEnd -= start;
    this.#targetStart -= start;
    this.#targetEnd -= start;
    if (this.#queryStart >= 0) this.#queryStart -= start;
    this.#sectionStart -= start;
    this.#sectionEnd -= start;
    this.isKept = true;
  }

  get method(): string {
    if (this.#method === '') this.#method = this.#text(this.#methodStart, this.#methodEnd);
    return this.#method;
  }

  get target(): string {
    if (this.#target === '') this.#target = this.#text(this.#targetStart, this.#targetEnd);
    return this.#target;
  }

  get path(): string {
    const { target } = this;
    if (this.#queryStart >= 0) return target.slice(0, this.#queryStart - 1 - this.#targetStart);
    if (target.startsWith('/')) return target;
    // absolute-form (RFC 9112 §3.2.2): the path after the authority.
    const authority = target.indexOf('://');
    if (authority < 0) return target;
    const end = target.indexOf('?', authority + 3);
    const withoutQuery = end < 0 ? target : target.slice(0, end);
    const start = withoutQuery.indexOf('/', authority + 3);
    return start < 0 ? '/' : withoutQuery.slice(start);
  }

  get query(): string {
    if (this.#queryStart >= 0) return this.#text(this.#queryStart, this.#targetEnd);
    const { target } = this;
    const end = target.startsWith('/') ? -1 : target.indexOf('?');
    return end < 0 ? '' : target.slice(end + 1);
  }

  get version(): HttpVersion {
    return this.#version;
  }

  get head(): Uint8Array | null {
    return this.#version >= '2' ? null : this.http1Head;
  }

  get body(): RequestBody {
    this.openedBody ??= new RequestBody(this.#exchange());
    return this.openedBody;
  }

  get remote(): Address {
    this.#remote ??= this.#exchange().remoteAddress();
    return this.#remote;
  }

  get local(): Address {
    this.#local ??= this.#exchange().localAddress();
    return this.#local;
  }

  get peer(): PeerCredentials | null {
    return this.#exchange().peerCredentials();
  }

  get state(): unknown {
    return this.#exchange().state;
  }

  get signal(): AbortSignal {
    // Nothing can abort it after its answer.
    return this.#source === null && this.isKept ? new AbortController().signal : this.#exchange().makeSignal();
  }

  get sent(): Promise<void> {
    return this.#exchange().makeSent();
  }

  timeout(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`a timeout must be a number of milliseconds from 0, got ${ms}`);
    this.#exchange().setTimeout(ms);
  }

  inform(status: number, fields: Fields): void {
    this.#exchange().inform(status, fields);
  }

  waitUntil(work: Promise<unknown>): void {
    // The work goes on after the answer, and may look at the request.
    this.keep();
    this.#exchange().waitUntil(work);
  }

  whenDraining(listener: () => void): () => void {
    return this.#exchange().whenDraining(listener);
  }

  everyTick(listener: (now: number) => void): () => void {
    return this.#exchange().everyTick(listener);
  }

  header(name: string): string | null {
    const section = this.#headerSection();
    const wanted = patterns.get(name) ?? patternOf(name);
    let found: string | null = null;
    for (let at = this.#lowered.indexOf(wanted); at >= 0; ) {
      const valueStart = at + wanted.length;
      const valueEnd = section.indexOf('\r', valueStart);
      const value = trimSpace(section, valueStart, valueEnd);
      // RFC 9110 §5.3, and RFC 9113 §8.2.3 for Cookie.
      found = found === null ? value : found + (wanted === COOKIE ? '; ' : ', ') + value;
      at = this.#lowered.indexOf(wanted, valueEnd);
    }
    return found;
  }

  /** Whether the name of any field starts with `prefix`, given in lower case: one look instead of several. */
  hasFieldPrefix(prefix: string): boolean {
    this.#headerSection();
    return this.#lowered.includes(`\n${prefix}`);
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

  /** Every field line with an LF before it and its CR LF after it, without the empty line. */
  #headerSection(): string {
    if (this.#section === null) {
      this.#section = this.#text(this.#sectionStart - 1, this.#sectionEnd - 2);
      this.#lowered = this.#section.toLowerCase();
    }
    return this.#section;
  }

  #text(start: number, end: number): string {
    return readLatin1(this.#view(), start, end);
  }

  /** Whatever the version: the head as it came, or as it would have come in HTTP/1.1. */
  get http1Head(): Buffer {
    return this.#view().subarray(this.#methodStart, this.#sectionEnd);
  }

  #view(): Buffer {
    if (this.#bytes === null) throw new Error(USED_TOO_LATE);
    return this.#bytes;
  }

  #exchange(): ViewSource {
    if (this.#source === null) throw new Error(USED_TOO_LATE);
    return this.#source;
  }
}

const COOKIE = '\ncookie:';
/** How the lines of a field begin, by its name as programs write it: they ask for the same few again and again. Bounded. */
const patterns = new Map<string, string>();
const MAX_PATTERNS = 256;

function patternOf(name: string): string {
  const pattern = `\n${name.toLowerCase()}:`;
  if (patterns.size < MAX_PATTERNS && name.length <= 64) patterns.set(name, pattern);
  return pattern;
}

const USED_TOO_LATE = 'a request must not be used after its handler has returned';

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
