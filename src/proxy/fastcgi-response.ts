/**
 * Makes of the records of a FastCGI application what an HTTP/1.1 upstream would have sent: a head, and content in chunks that ends
 * where the application says that the request has. Owns an unfinished head.
 */
import { Buffer } from 'node:buffer';
import { type CgiHead, readCgiHead } from '../fastcgi/cgi-head.ts';
import { Piece, RecordReader } from '../fastcgi/record-reader.ts';
import { EndStatus } from '../fastcgi/records.ts';
import type { FailureReason } from './failures.ts';

/** The connection. */
export interface FastCgiOwner {
  /** Bytes of an HTTP/1.1 response, valid during the call. */
  takeResponse(bytes: Buffer, length: number): void;
  onInvalidResponse(reason: FailureReason, detail: string): void;
  /** What the application says to people. */
  onMessage(text: string): void;
}

const MAX_HEAD = 64 * 1024;
/** Of one request: what is said beyond it is not kept. */
const MAX_MESSAGES = 16 * 1024;
/** Room for the size of a chunk before its content, and for what ends it. */
const PREFIX = 16;
const SUFFIX = 16;

export class FastCgiResponse {
  /** As the application says; -1: it does not. */
  contentLength = -1;
  /** The application has ended the request, and has sent nothing since. */
  isEnded = false;
  readonly #owner: FastCgiOwner;
  readonly #reader = new RecordReader();
  #isToHead = false;
  #headText = '';
  #head: CgiHead | null = null;
  /** The status line and the fields, until they are passed on. */
  #unsent = '';
  #hasContent = false;
  /** Bytes of content so far. */
  #received = 0;
  #messages = '';

  constructor(owner: FastCgiOwner) {
    this.#owner = owner;
  }

  get hasBegun(): boolean {
    return this.#head !== null || this.#headText !== '';
  }

  begin(isToHead: boolean): void {
    this.#isToHead = isToHead;
    this.#headText = '';
    this.#head = null;
    this.#unsent = '';
    this.#hasContent = false;
    this.#received = 0;
    this.#messages = '';
    this.contentLength = -1;
    this.isEnded = false;
  }

  /** bytes[0, length) have arrived. */
  read(bytes: Buffer, length: number): void {
    const reader = this.#reader;
    const out = Buffer.allocUnsafe(PREFIX + length + SUFFIX);
    let to = PREFIX;
    let fault: string | null = null;
    for (let at = 0; fault === null; at = reader.position) {
      const piece = reader.read(bytes, at, length);
      if (piece === Piece.needMore) break;
      if (this.isEnded || piece === Piece.invalid) fault = 'it does not speak FastCGI';
      else if (piece === Piece.stderr) this.#hear(bytes.toString('latin1', reader.start, reader.end));
      else if (piece === Piece.end) fault = this.#end(reader.protocolStatus);
      else {
        const from = this.#head === null ? this.#readHead(bytes, reader.start, reader.end) : reader.start;
        if (typeof from === 'string') fault = from;
        else if (from < 0) continue;
        else {
          fault = this.#count(reader.end - from);
          if (this.#hasContent) to += bytes.copy(out, to, from, reader.end);
        }
      }
    }
    if (this.isEnded || fault !== null) this.#tellMessages();
    if (fault !== null) this.#owner.onInvalidResponse(fault === OVERLOADED ? 'busy' : 'answerInvalid', fault);
    else this.#pass(out, to);
  }

  /** Returns where content begins, -1 if the head goes on, or what is wrong with it. */
  #readHead(bytes: Buffer, start: number, end: number): number | string {
    const before = this.#headText.length;
    const text = this.#headText + bytes.toString('latin1', start, end);
    const headEnd = endOfHead(text, Math.max(0, before - 3));
    if ((headEnd < 0 ? text.length : headEnd) > MAX_HEAD) return 'its head is too long';
    if (headEnd < 0) {
      this.#headText = text;
      return -1;
    }
    const head = readCgiHead(text.slice(0, headEnd));
    if (typeof head === 'string') return head;
    this.#head = head;
    this.contentLength = head.contentLength;
    // As `ResponseParser` sees it.
    this.#hasContent = !this.#isToHead && head.status !== 204 && head.status !== 304;
    this.#unsent = `${head.lines}${this.#hasContent ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`;
    return start + headEnd - before;
  }

  #count(bytes: number): string | null {
    this.#received += bytes;
    const isTooLong = this.#hasContent && this.contentLength >= 0 && this.#received > this.contentLength;
    return isTooLong ? 'its content is longer than it says' : null;
  }

  #end(protocolStatus: number): string | null {
    this.isEnded = true;
    if (protocolStatus === EndStatus.overloaded) return OVERLOADED;
    if (protocolStatus !== EndStatus.complete) return `it refuses the request (protocolStatus ${protocolStatus})`;
    if (this.#head === null) return this.#headText === '' ? 'it answers nothing' : 'its head does not end';
    const isTooShort = this.#hasContent && this.#received < this.contentLength;
    return isTooShort ? 'its content is shorter than it says' : null;
  }

  /** An answer without content is passed on when the request has ended: the connection is used for the next one then. */
  #pass(out: Buffer, end: number): void {
    const count = end - PREFIX;
    if (!this.#hasContent && !this.isEnded) return;
    const head = this.#unsent;
    this.#unsent = '';
    const size = count > 0 ? `${count.toString(16)}\r\n` : '';
    let to = end;
    if (count > 0) to += out.write('\r\n', to, 'latin1');
    if (this.#hasContent && this.isEnded) to += out.write('0\r\n\r\n', to, 'latin1');
    const from = PREFIX - size.length;
    out.write(size, from, 'latin1');
    if (head === '' && from === to) return;
    const response =
      head === '' ? out.subarray(from, to) : Buffer.concat([Buffer.from(head, 'latin1'), out.subarray(from, to)]);
    this.#owner.takeResponse(response, response.length);
  }

  #hear(text: string): void {
    this.#messages = (this.#messages + text).slice(0, MAX_MESSAGES);
  }

  #tellMessages(): void {
    const text = Buffer.from(this.#messages, 'latin1').toString('utf8').trim();
    this.#messages = '';
    if (text !== '') this.#owner.onMessage(text);
  }
}

const OVERLOADED = 'it is overloaded';

/** RFC 3875 §6.2: lines end with LF, or with CR LF. */
function endOfHead(text: string, from: number): number {
  for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text[at + 1] === '\n') return at + 2;
    if (text[at + 1] === '\r' && text[at + 2] === '\n') return at + 3;
  }
  return -1;
}
