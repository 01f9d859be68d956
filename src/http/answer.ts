/**
 * Prepared answers (RFC 9110 §15, RFC 9112 §4): made once and sent many times. Their bytes change only once a second, because
 * of Date.
 */
import { Buffer } from 'node:buffer';
import { type Fields, renderFields } from './fields.ts';
import { REFUSALS, type RefusalReason } from './refusals.ts';
import { type ByteSink, connectionFields, type PersistenceValue, type SharedFields, WholeReply } from './reply.ts';
import { checkStatus, mustBeEmpty, reasonPhrase, statusLine } from './status.ts';

/** The interim answer to "Expect: 100-continue" (RFC 9110 §10.1.1). */
export const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

export class Answer extends WholeReply {
  readonly status: number;
  readonly #start: string;
  readonly #content: Uint8Array;
  readonly #rendered: (Buffer | null)[] = [null, null, null, null];
  #shared: SharedFields | null = null;

  /**
   * `status` is 200 to 599; `fields` are all but those that the server sets: Content-Length, Connection, Date and the like.
   * Throws a RangeError for anything that would be invalid on the wire.
   */
  constructor(status: number, fields: Fields = {}, content: string | Uint8Array = '') {
    super();
    checkStatus(status);
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    if (bytes.length > 0 && mustBeEmpty(status)) {
      throw new RangeError(`an answer with status ${status} must not have content, got ${bytes.length} bytes`);
    }
    const start = statusLine(status) + renderFields(fields);
    // RFC 9110 §8.6: never with 204, and with 304 only the length of the content that it omits.
    this.#start = status === 204 || status === 304 ? start : `${start}Content-Length: ${bytes.length}\r\n`;
    this.status = status;
    this.#content = bytes;
  }

  get contentLength(): number {
    return this.#content.length;
  }

  override get isLasting(): boolean {
    return true;
  }

  putInto(sink: ByteSink, shared: SharedFields, persistence: PersistenceValue, isHead: boolean): void {
    sink.push(this.bytes(shared, persistence, isHead));
  }

  /** The bytes to send; shared, so they must not be changed. `isHead` leaves the content out. */
  bytes(shared: SharedFields, persistence: PersistenceValue, isHead: boolean): Buffer {
    const rendered = this.#rendered;
    if (shared !== this.#shared) {
      rendered.fill(null);
      this.#shared = shared;
    }
    const index = isHead ? persistence + 2 : persistence;
    return rendered[index] ?? this.#render(index, shared, persistence, isHead);
  }

  #render(index: number, shared: SharedFields, persistence: PersistenceValue, isHead: boolean): Buffer {
    const head = `${this.#start}${shared.date}${connectionFields(shared, persistence)}\r\n`;
    const bytes = Buffer.allocUnsafeSlow(head.length + (isHead ? 0 : this.#content.length));
    bytes.write(head, 'latin1');
    if (!isHead) bytes.set(this.#content, head.length);
    this.#rendered[index] = bytes;
    return bytes;
  }
}

/** An answer whose content is text. */
export function textAnswer(text: string, status = 200): Answer {
  return new Answer(status, { 'Content-Type': 'text/plain' }, text);
}

const refusalAnswers = new Map<RefusalReason, Answer>();

/** The answer to a refused request; must be sent with `Persistence.close`. */
export function refusalAnswer(reason: RefusalReason): Answer {
  let answer = refusalAnswers.get(reason);
  if (answer === undefined) {
    const { status, text } = REFUSALS[reason];
    answer = textAnswer(`${status} ${reasonPhrase(status)}: ${text}\n`, status);
    refusalAnswers.set(reason, answer);
  }
  return answer;
}
