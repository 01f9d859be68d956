/** Answers made for one request: one string, written once into what is sent. */
import { Buffer } from 'node:buffer';
import { shown } from '../rules/shape.ts';
import { asBuffer } from './as-buffer.ts';
import { type Fields, renderFields } from './fields.ts';
import { type ByteSink, connectionFields, type PersistenceValue, type SharedFields, WholeReply } from './reply.ts';
import { checkStatus, mustBeEmpty, statusLine } from './status.ts';

/** From this length on two writes into what is sent cost less than one of both texts, joined. */
const LONG = 256;

export class MadeReply extends WholeReply {
  readonly status: number;
  readonly contentLength: number;
  /** Status line and fields that do not depend on the moment. */
  readonly #start: string;
  readonly #content: string | Uint8Array;

  /** `fieldLines` and `reason` have been checked, each line with its CR LF; null: the usual reason. Throws a RangeError for content that the status forbids. */
  constructor(status: number, fieldLines: string, content: string | Uint8Array, reason: string | null = null) {
    super();
    checkStatus(status);
    const length = typeof content === 'string' ? Buffer.byteLength(content, 'utf8') : lengthOf(content);
    if (length > 0 && mustBeEmpty(status)) {
      throw new RangeError(`an answer with status ${status} must not have content, got ${length} bytes`);
    }
    this.status = status;
    this.contentLength = length;
    this.#content = content;
    const start = (reason === null ? statusLine(status) : `HTTP/1.1 ${status} ${reason}\r\n`) + fieldLines;
    // RFC 9110 §8.6: never with 204, and with 304 only the length of the content that is left out.
    this.#start = status === 204 || status === 304 ? start : `${start}Content-Length: ${length}\r\n`;
  }

  putInto(sink: ByteSink, shared: SharedFields, persistence: PersistenceValue, isHead: boolean): void {
    const content = this.#content;
    const head = `${this.#start}${shared.date}${connectionFields(shared, persistence)}\r\n`;
    if (isHead || this.contentLength === 0) {
      sink.pushLatin1(head);
    } else if (typeof content === 'string' && content.length === this.contentLength) {
      // As many bytes as characters: all of them are ASCII. Joining long ones copies them once more.
      if (content.length < LONG) {
        sink.pushLatin1(head + content);
      } else {
        sink.pushLatin1(head);
        sink.pushLatin1(content);
      }
    } else {
      sink.pushLatin1(head);
      sink.push(typeof content === 'string' ? Buffer.from(content, 'utf8') : asBuffer(content));
    }
  }
}

/** Programs without types give anything; without this, the connection would end without an answer. */
function lengthOf(content: Uint8Array): number {
  if (content instanceof Uint8Array) return content.length;
  throw new TypeError(`the content of an answer must be a string or a Uint8Array, got ${shown(content)}`);
}

/**
 * An answer for this request. `status` is 200 to 599; `fields` are all but those that the server makes (Content-Length,
 * Connection, Date and the like); a string is sent as UTF-8. Throws a RangeError for what would not be valid on the wire.
 */
export function reply(status: number, fields: Fields = {}, content: string | Uint8Array = ''): MadeReply {
  return new MadeReply(status, renderFields(fields), content);
}

/** `value` as JSON; Content-Type is application/json unless `fields` say otherwise. */
export function json(value: unknown, status = 200, fields: Fields = {}): MadeReply {
  const text = JSON.stringify(value);
  if (text === undefined)
    throw new TypeError(`json() must be given a value that JSON can express, got ${typeof value}`);
  const lines = renderFields(fields);
  const hasType = lines !== '' && `\n${lines}`.toLowerCase().includes('\ncontent-type:');
  return new MadeReply(status, hasType ? lines : `Content-Type: application/json\r\n${lines}`, text);
}
