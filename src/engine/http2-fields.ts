/** Between the fields of HTTP/2 (RFC 9113 §8) and those of HTTP/1, which the parser judges and replies are made of. */
import { Buffer } from 'node:buffer';
import { type Fields, pairsOf } from '../http/fields.ts';
import type { ByteSink } from '../http/reply.ts';

/** Names and values in turn, pseudo-header fields first. */
export type RawFields = readonly string[];

/** What `respond` of a stream takes: names and values in turn. */
export type ResponseFields = (string | number)[];

/**
 * The request as a head of HTTP/1.1, so that it is judged by the same rules and seen through the same view. Whoever has read the
 * fields has checked that names and values hold nothing that would end a line, and that no field belongs to a connection.
 */
export function headOf(fields: RawFields): Buffer {
  let method = '';
  let path = '';
  let authority: string | null = null;
  let lines = '';
  let host: string | null = null;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] as string;
    const value = fields[at + 1] as string;
    switch (name) {
      case ':method':
        method = value;
        break;
      case ':path':
        path = value;
        break;
      case ':authority':
        authority = value;
        break;
      case 'host':
        // A second one that differs is refused with the first (RFC 9113 §8.3.1).
        if (host === value) break;
        host = value;
        if (value !== authority) lines += `host: ${value}\r\n`;
        break;
      default:
        if (name.charCodeAt(0) !== COLON) lines += `${name}: ${value}\r\n`;
    }
  }
  const first = authority === null ? '' : `host: ${authority}\r\n`;
  // RFC 9113 §8.5: CONNECT has no path.
  const target = path === '' ? (authority ?? '') : path;
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${first}${lines}\r\n`, 'latin1');
}

const COLON = 0x3a;

/** They belong to connections of HTTP/1 (RFC 9113 §8.2.2). */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** From a status and field lines of HTTP/1, each with its CR LF. */
export function responseFields(status: number, lines: string): ResponseFields {
  const fields: ResponseFields = [':status', status];
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(':', at);
    const end = lines.indexOf('\r\n', colon);
    const name = lines.slice(at, colon).toLowerCase();
    if (!OF_CONNECTIONS.has(name)) fields.push(name, lines.slice(colon + 1, end).trim());
    at = end + 2;
  }
  return fields;
}

/** The same for fields that follow content. */
export function trailerFields(lines: string): ResponseFields {
  return responseFields(0, lines).slice(2);
}

/** Trailers as HTTP/1.1 has them after its last chunk. Checked as for `headOf`. */
export function trailerSection(fields: RawFields): Buffer {
  let lines = '';
  for (let at = 0; at + 1 < fields.length; at += 2) lines += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return Buffer.from(`${lines}\r\n`, 'latin1');
}

/** For an interim answer (RFC 9110 §15.2). */
export function interimFields(status: number, fields: Fields): Record<string, number | string[]> {
  const all: Record<string, number | string[]> = { ':status': status };
  for (const [name, value] of pairsOf(fields)) {
    const lower = name.toLowerCase();
    const values = all[lower];
    if (Array.isArray(values)) values.push(value);
    else all[lower] = [value];
  }
  return all;
}

/** The field lines of a head of HTTP/1. */
export function headLines(head: string): string {
  const end = head.indexOf(HEAD_END);
  return head.slice(head.indexOf('\r\n') + 2, end < 0 ? undefined : end + 2);
}

/** Those that a stream of HTTP/2 may have. */
export function* linesAsFields(lines: string): Generator<[name: string, value: string]> {
  const fields = responseFields(0, lines);
  for (let at = 2; at < fields.length; at += 2) yield [fields[at] as string, fields[at + 1] as string];
}

/** Takes an answer of HTTP/1 apart. */
export class TakenApart implements ByteSink {
  /** The field lines. */
  lines = '';
  content: Buffer = NOTHING;
  #hasHead = false;

  push(bytes: Buffer): void {
    if (this.#hasHead) {
      this.content = this.content.length === 0 ? bytes : Buffer.concat([this.content, bytes]);
      return;
    }
    const end = bytes.indexOf(HEAD_END);
    this.#takeHead(bytes.toString('latin1', 0, end + 2));
    this.content = bytes.subarray(end + HEAD_END.length);
  }

  pushLatin1(text: string): void {
    if (this.#hasHead) {
      this.push(Buffer.from(text, 'latin1'));
      return;
    }
    const end = text.indexOf(HEAD_END);
    this.#takeHead(text.slice(0, end + 2));
    if (end + HEAD_END.length < text.length) this.content = Buffer.from(text.slice(end + HEAD_END.length), 'latin1');
  }

  #takeHead(head: string): void {
    this.#hasHead = true;
    this.lines = headLines(head);
  }
}

const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);
