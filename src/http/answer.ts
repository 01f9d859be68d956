/**
 * Response octets (RFC 9110 §15, RFC 9112 §4). An `Answer` is prepared once and sent many times: its octets are made anew when
 * the second changes, for the sake of Date, and otherwise handed out as they are.
 */
import { Buffer } from 'node:buffer';
import { FIELD_VALUE, TOKEN } from './octets.ts';
import { type Cause, REFUSALS } from './refusals.ts';

/** The interim answer to "Expect: 100-continue" (RFC 9110 §10.1.1). */
export const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

/** What the Connection field of an answer says; HTTP/1.0 must be told that a connection persists. */
export const Persistence = { implied: 0, keepAlive: 1, close: 2 } as const;
export type PersistenceValue = (typeof Persistence)[keyof typeof Persistence];

const CONNECTION_FIELDS = ['', 'Connection: keep-alive\r\n', 'Connection: close\r\n'] as const;

/** Fields that frame an answer (RFC 9112 §6) or that the connection decides: a second one would contradict the first. */
const MADE_HERE: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'date']);

/** A point in time for the Date field: the same second, the same object. */
export interface HttpDate {
  /** IMF-fixdate (RFC 9110 §5.6.7). */
  readonly text: string;
}

export interface AnswerParts {
  /** Three digits, 200 to 599. */
  readonly status: number;
  readonly reason: string;
  /** Field lines but those that are made here: Content-Length, Connection, Date. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export class Answer {
  readonly #start: string;
  readonly #body: Uint8Array;
  readonly #rendered: (Buffer | null)[] = [null, null, null, null, null, null];
  #date: HttpDate | null = null;

  /** Throws a RangeError for what would not be valid on the wire. */
  constructor(parts: AnswerParts) {
    const { status, reason, fields, body } = parts;
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`status wants a whole number from 200 to 599, got ${status}`);
    }
    if (!hasOnly(FIELD_VALUE, reason))
      throw new RangeError(`reason wants printable characters, got ${JSON.stringify(reason)}`);
    let start = `HTTP/1.1 ${status} ${reason}\r\n`;
    for (const [name, value] of fields) {
      if (name === '' || !hasOnly(TOKEN, name))
        throw new RangeError(`a field name wants a token, got ${JSON.stringify(name)}`);
      if (MADE_HERE.has(name.toLowerCase())) throw new RangeError(`${name} is made by the server itself`);
      if (!hasOnly(FIELD_VALUE, value))
        throw new RangeError(`${name} wants printable characters, got ${JSON.stringify(value)}`);
      start += `${name}: ${value}\r\n`;
    }
    const hasNoContent = status === 204 || status === 304;
    if (body.length > 0 && (hasNoContent || status === 205)) {
      throw new RangeError(`status ${status} wants no content, got ${body.length} octets`);
    }
    // RFC 9110 §8.6: none with 204, and with 304 only that of the content which is left out.
    this.#start = hasNoContent ? start : `${start}Content-Length: ${body.length}\r\n`;
    this.#body = body;
  }

  /** The octets to send; shared, so not to be changed. `isHead` leaves the content out. */
  octets(date: HttpDate, persistence: PersistenceValue, isHead: boolean): Buffer {
    const rendered = this.#rendered;
    if (date !== this.#date) {
      rendered.fill(null);
      this.#date = date;
    }
    const index = isHead ? persistence + 3 : persistence;
    return rendered[index] ?? this.#render(index, date, persistence, isHead);
  }

  #render(index: number, date: HttpDate, persistence: PersistenceValue, isHead: boolean): Buffer {
    const head = `${this.#start}Date: ${date.text}\r\n${CONNECTION_FIELDS[persistence]}\r\n`;
    const octets = Buffer.allocUnsafeSlow(head.length + (isHead ? 0 : this.#body.length));
    octets.write(head, 'latin1');
    if (!isHead) octets.set(this.#body, head.length);
    this.#rendered[index] = octets;
    return octets;
  }
}

/** An answer with a text for its content; `status` is 200 unless told otherwise. */
export function textAnswer(text: string, status = 200, reason = 'OK'): Answer {
  return new Answer({ status, reason, fields: [['Content-Type', 'text/plain']], body: Buffer.from(text, 'utf8') });
}

const refusalAnswers = new Map<Cause, Answer>();

/** The answer to a refused request; to be sent with `Persistence.close`. */
export function refusalAnswer(cause: Cause): Answer {
  let answer = refusalAnswers.get(cause);
  if (answer === undefined) {
    const { status, reason, text } = REFUSALS[cause];
    answer = textAnswer(`${status} ${reason}: ${text}\n`, status, reason);
    refusalAnswers.set(cause, answer);
  }
  return answer;
}

function hasOnly(table: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || table[code] !== 1) return false;
  }
  return true;
}
