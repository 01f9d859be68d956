/**
 * The bytes of responses (RFC 9110 §15, RFC 9112 §4). An `Answer` is prepared once and sent many times: its bytes are made anew
 * when the second changes, for the sake of Date, and otherwise handed out as they are.
 */
import { Buffer } from 'node:buffer';
import { type Fields, renderFields } from './fields.ts';
import { REFUSALS, type RefusalReason } from './refusals.ts';
import { mustBeEmpty, reasonPhrase } from './status.ts';

/** The interim answer to "Expect: 100-continue" (RFC 9110 §10.1.1). */
export const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

/** What an answer says about its connection. */
export const Persistence = { keepAlive: 0, close: 1 } as const;
export type PersistenceValue = (typeof Persistence)[keyof typeof Persistence];

/** Field lines that all answers of one second share. The same second, the same object. */
export interface SharedFields {
  /** `Date` and its CR LF, as an IMF-fixdate (RFC 9110 §5.6.7). */
  readonly date: string;
  /** The field lines of an answer after which the connection stays open. */
  readonly keepAlive: string;
}

export const CLOSE_FIELD = 'Connection: close\r\n';

/**
 * The field lines that let a connection persist. The hint (RFC 2068 §19.7.1.1) is a second less than the server waits, so that
 * no client reuses a connection in the very moment in which it is closed; "keep-alive" in Connection keeps it hop-by-hop.
 */
export function keepAliveFields(idleTimeoutMs: number): string {
  const seconds = Math.floor(idleTimeoutMs / 1000) - 1;
  return seconds > 0 ? `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n` : 'Connection: keep-alive\r\n';
}

export class Answer {
  readonly status: number;
  readonly #start: string;
  readonly #content: Uint8Array;
  readonly #rendered: (Buffer | null)[] = [null, null, null, null];
  #shared: SharedFields | null = null;

  /**
   * `status` is 200 to 599; `fields` are all but those that the server makes: Content-Length, Connection, Date and the like.
   * Throws a RangeError for what would not be valid on the wire.
   */
  constructor(status: number, fields: Fields = {}, content: string | Uint8Array = '') {
    checkStatus(status);
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    if (bytes.length > 0 && mustBeEmpty(status)) {
      throw new RangeError(`an answer with status ${status} must not have content, got ${bytes.length} bytes`);
    }
    const start = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${renderFields(fields)}`;
    // RFC 9110 §8.6: never with 204, and with 304 only the length of the content that is left out.
    this.#start = status === 204 || status === 304 ? start : `${start}Content-Length: ${bytes.length}\r\n`;
    this.status = status;
    this.#content = bytes;
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
    const connection = persistence === Persistence.close ? CLOSE_FIELD : shared.keepAlive;
    const head = `${this.#start}${shared.date}${connection}\r\n`;
    const bytes = Buffer.allocUnsafeSlow(head.length + (isHead ? 0 : this.#content.length));
    bytes.write(head, 'latin1');
    if (!isHead) bytes.set(this.#content, head.length);
    this.#rendered[index] = bytes;
    return bytes;
  }
}

export function checkStatus(status: number): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new RangeError(`the status of an answer must be a whole number from 200 to 599, got ${status}`);
  }
}

/** An answer with a text for its content. */
export function textAnswer(text: string, status = 200): Answer {
  return new Answer(status, { 'Content-Type': 'text/plain' }, text);
}

const refusalAnswers = new Map<RefusalReason, Answer>();

/** The answer to a refused request; to be sent with `Persistence.close`. */
export function refusalAnswer(reason: RefusalReason): Answer {
  let answer = refusalAnswers.get(reason);
  if (answer === undefined) {
    const { status, text } = REFUSALS[reason];
    answer = textAnswer(`${status} ${reasonPhrase(status)}: ${text}\n`, status);
    refusalAnswers.set(reason, answer);
  }
  return answer;
}
