/** Rewrites the head of an upstream's response for the client: bytes to bytes, in one pass, without what belongs to a connection. */
import type { Buffer } from 'node:buffer';
import type { Output } from '../engine/output.ts';
import { COLON, CR, SP } from '../http/byte-classes.ts';
import type { ResponseParser } from '../http/response-parser.ts';
import { ConnectionOptions } from './connection-options.ts';
import { RESPONSE_RULES, Rule } from './field-rules.ts';

const VERSION = 'HTTP/1.1 ';
/** "HTTP/1.1 200 " and the CR LF after the reason. */
const LINE_MAX = 15;

export class ResponseHead {
  /** The head that was put has a Date. */
  hasDate = false;
  /** Of the last head that had one: seconds that the upstream keeps an idle connection; -1: it does not say. */
  keepAliveS = -1;
  readonly #connection = new ConnectionOptions();

  /** Puts status line and fields into `output`; bytes[base] is the first byte of the head, `end` the index after it. */
  put(output: Output, parser: ResponseParser, bytes: Buffer, base: number, end: number): void {
    const out = output.room(end - base + LINE_MAX);
    const { line, fields } = parser;
    let to = output.length;
    for (let i = 0; i < VERSION.length; i++) out[to++] = VERSION.charCodeAt(i);
    for (let i = base + 9; i < base + 12; i++) out[to++] = bytes[i] as number;
    out[to++] = SP;
    to += bytes.copy(out, to, base + line.reasonStart, base + line.reasonEnd);
    out[to++] = CR;
    out[to++] = 0x0a;
    output.commit(this.#copyFields(out, to, bytes, base + fields.sectionStart));
  }

  /** The fields as pairs, for a head that is made elsewhere; Upgrade only if `keepsUpgrade`. */
  pairs(parser: ResponseParser, bytes: Buffer, base: number, keepsUpgrade: boolean): [string, string][] {
    const pairs: [string, string][] = [];
    const connection = new ConnectionOptions();
    for (let pass = 0; pass < 2; pass++) {
      pairs.length = 0;
      let at = base + parser.fields.sectionStart;
      while (bytes[at] !== CR) {
        const lineStart = at;
        while (bytes[at] !== COLON) at++;
        const nameEnd = at;
        while (bytes[at] !== CR) at++;
        const rule = RESPONSE_RULES.of(bytes, lineStart, nameEnd);
        const isKept = rule === Rule.copy || rule === Rule.date || (rule === Rule.upgrade && keepsUpgrade);
        if (rule === Rule.connection) connection.take(bytes, nameEnd + 1, at);
        else if (isKept && !connection.has(bytes, lineStart, nameEnd))
          pairs.push([bytes.toString('latin1', lineStart, nameEnd), bytes.toString('latin1', nameEnd + 1, at).trim()]);
        at += 2;
      }
      if (connection.names === null) break;
    }
    return pairs;
  }

  #copyFields(out: Buffer, to: number, bytes: Buffer, from: number): number {
    const connection = this.#connection;
    connection.reset();
    this.hasDate = false;
    this.keepAliveS = -1;
    const end = this.#pass(out, to, bytes, from);
    return connection.names === null ? end : this.#pass(out, to, bytes, from);
  }

  #pass(out: Buffer, start: number, bytes: Buffer, from: number): number {
    const connection = this.#connection;
    const isNaming = connection.names !== null;
    let to = start;
    let at = from;
    let keptFrom = from;
    while (bytes[at] !== CR) {
      const lineStart = at;
      while (bytes[at] !== COLON) at++;
      const nameEnd = at;
      let rule = RESPONSE_RULES.of(bytes, lineStart, nameEnd);
      while (bytes[at] !== CR) at++;
      if (rule === Rule.date) {
        this.hasDate = true;
        rule = Rule.copy;
      }
      if (isNaming && rule === Rule.copy && connection.has(bytes, lineStart, nameEnd)) rule = Rule.drop;
      if (rule !== Rule.copy) {
        to += bytes.copy(out, to, keptFrom, lineStart);
        keptFrom = at + 2;
        if (rule === Rule.connection) connection.take(bytes, nameEnd + 1, at);
        else if (rule === Rule.keepAlive) this.keepAliveS = timeoutOf(bytes.toString('latin1', nameEnd + 1, at));
      }
      at += 2;
    }
    return to + bytes.copy(out, to, keptFrom, at);
  }
}

/** RFC 2068 §19.7.1.1. */
function timeoutOf(keepAlive: string): number {
  const from = keepAlive.indexOf('timeout=');
  const seconds = from < 0 ? Number.NaN : Number.parseInt(keepAlive.slice(from + 8), 10);
  return seconds >= 0 ? seconds : -1;
}
