/**
 * The fields of a head that decide framing and persistence: what each one says, collected while the head is read.
 * Owns no octets: positions are counted from the first octet of the head.
 */
import { endOfHost } from './host.ts';
import { COMMA, equalsIgnoringCase, HTAB, isDigit, SP, TOKEN } from './octets.ts';
import type { Cause } from './refusals.ts';

/** What Transfer-Encoding has said so far. */
export const Coding = { none: 0, chunked: 1, unknown: 2, unknownThenChunked: 3, invalid: 4 } as const;
export type CodingState = (typeof Coding)[keyof typeof Coding];

export const Expectation = { none: 0, continue: 1, unknown: 2 } as const;
export type ExpectationState = (typeof Expectation)[keyof typeof Expectation];

export class HeadFields {
  /** Host value without white space around it; hostStart is -1 while there is none. */
  hostStart = -1;
  hostEnd = -1;
  /** -1: no Content-Length. */
  contentLength = -1;
  coding: CodingState = Coding.none;
  expectation: ExpectationState = Expectation.none;
  saysClose = false;
  saysKeepAlive = false;

  reset(): void {
    this.hostStart = -1;
    this.contentLength = -1;
    this.coding = Coding.none;
    this.expectation = Expectation.none;
    this.saysClose = false;
    this.saysKeepAlive = false;
  }

  /**
   * Takes one field line: its name is bytes[nameStart, nameEnd), then come a colon and, up to valueEnd, the value with white
   * space around it. `base` is the index of the head's first octet. Returns why the request is refused, or null.
   */
  take(bytes: Uint8Array, base: number, nameStart: number, nameEnd: number, valueEnd: number): Cause | null {
    const valueStart = nameEnd + 1;
    switch (nameEnd - nameStart) {
      case 4:
        return equalsIgnoringCase(bytes, nameStart, nameEnd, 'host')
          ? this.#host(bytes, base, valueStart, valueEnd)
          : null;
      case 6:
        if (equalsIgnoringCase(bytes, nameStart, nameEnd, 'expect')) this.#expect(bytes, valueStart, valueEnd);
        return null;
      case 10:
        if (equalsIgnoringCase(bytes, nameStart, nameEnd, 'connection')) this.#connection(bytes, valueStart, valueEnd);
        return null;
      case 14:
        return equalsIgnoringCase(bytes, nameStart, nameEnd, 'content-length')
          ? this.#contentLength(bytes, valueStart, valueEnd)
          : null;
      case 17:
        if (equalsIgnoringCase(bytes, nameStart, nameEnd, 'transfer-encoding'))
          this.#coding(bytes, valueStart, valueEnd);
        return null;
      default:
        return null;
    }
  }

  #host(bytes: Uint8Array, base: number, from: number, to: number): Cause | null {
    if (this.hostStart >= 0) return 'hostRepeated';
    const start = skipSpace(bytes, from, to);
    const end = trimSpace(bytes, start, to);
    if (endOfHost(bytes, start, end) < 0) return 'hostInvalid';
    this.hostStart = start - base;
    this.hostEnd = end - base;
    return null;
  }

  #contentLength(bytes: Uint8Array, from: number, to: number): Cause | null {
    if (this.contentLength >= 0) return 'lengthRepeated';
    const start = skipSpace(bytes, from, to);
    const end = trimSpace(bytes, start, to);
    if (start === end) return 'lengthInvalid';
    let length = 0;
    for (let i = start; i < end; i++) {
      const octet = bytes[i] as number;
      if (!isDigit(octet)) return isListOfNumbers(bytes, start, end) ? 'lengthRepeated' : 'lengthInvalid';
      length = length * 10 + (octet - 0x30);
      // Refused before a digit is lost (RFC 9110 §8.6); no limit is as large (`cli/settings.ts`).
      if (length > Number.MAX_SAFE_INTEGER) return 'lengthInvalid';
    }
    this.contentLength = length;
    return null;
  }

  #coding(bytes: Uint8Array, from: number, to: number): void {
    let isEmpty = true;
    for (let i = from; ; i++) {
      const start = skipSpace(bytes, i, to);
      i = start;
      while (i < to && bytes[i] !== COMMA) i++;
      const end = trimSpace(bytes, start, i);
      if (end > start) {
        isEmpty = false;
        this.#takeCoding(bytes, start, end);
      }
      if (i >= to) break;
    }
    if (isEmpty) this.coding = Coding.invalid;
  }

  /** Parameters are refused with the coding: chunked has none, and others are unknown here anyway. */
  #takeCoding(bytes: Uint8Array, start: number, end: number): void {
    const isChunked = equalsIgnoringCase(bytes, start, end, 'chunked');
    let name = start;
    while (name < end && TOKEN[bytes[name] as number] === 1) name++;
    const isToken = name === end;
    if (this.coding === Coding.invalid) return;
    if (!isToken || this.coding === Coding.chunked || this.coding === Coding.unknownThenChunked)
      this.coding = Coding.invalid;
    else if (!isChunked) this.coding = Coding.unknown;
    else this.coding = this.coding === Coding.none ? Coding.chunked : Coding.unknownThenChunked;
  }

  #connection(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const start = skipSpace(bytes, i, to);
      i = start;
      while (i < to && bytes[i] !== COMMA) i++;
      const end = trimSpace(bytes, start, i);
      if (equalsIgnoringCase(bytes, start, end, 'close')) this.saysClose = true;
      else if (equalsIgnoringCase(bytes, start, end, 'keep-alive')) this.saysKeepAlive = true;
    }
  }

  #expect(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) {
      const start = skipSpace(bytes, i, to);
      i = start;
      while (i < to && bytes[i] !== COMMA) i++;
      const end = trimSpace(bytes, start, i);
      if (end === start) continue;
      if (!equalsIgnoringCase(bytes, start, end, '100-continue')) this.expectation = Expectation.unknown;
      else if (this.expectation === Expectation.none) this.expectation = Expectation.continue;
    }
  }
}

function skipSpace(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (bytes[i] === SP || bytes[i] === HTAB)) i++;
  return i;
}

function trimSpace(bytes: Uint8Array, start: number, end: number): number {
  let i = end;
  while (i > start && (bytes[i - 1] === SP || bytes[i - 1] === HTAB)) i--;
  return i;
}

function isListOfNumbers(bytes: Uint8Array, start: number, end: number): boolean {
  let hasComma = false;
  for (let i = start; i < end; i++) {
    const octet = bytes[i] as number;
    if (octet === COMMA) hasComma = true;
    else if (!isDigit(octet) && octet !== SP && octet !== HTAB) return false;
  }
  return hasComma;
}
