/**
 * The fields of a head that decide framing and persistence: what each one says, collected while the head is read.
 * Owns no bytes: positions count from the first byte of the head.
 */

import { COMMA, equalsIgnoringCase, HTAB, isDigit, SP, TOKEN } from './byte-classes.ts';
import { endOfHost } from './host.ts';
import type { RefusalReason } from './refusals.ts';

/** What Transfer-Encoding has said so far. */
export const TransferCoding = { none: 0, chunked: 1, unknown: 2, unknownThenChunked: 3, invalid: 4 } as const;
export type TransferCodingState = (typeof TransferCoding)[keyof typeof TransferCoding];

export const Expectation = { none: 0, continue: 1, unknown: 2 } as const;
export type ExpectationState = (typeof Expectation)[keyof typeof Expectation];

export type CodingFault = Extract<
  RefusalReason,
  'codingInOldVersion' | 'lengthAndCoding' | 'codingNotImplemented' | 'codingInvalid'
>;

/** Host and Expect mean something in requests only. */
export type MessageKind = 'request' | 'response';

export class FramingHeaders {
  /** The value of Host without the white space around it; hostStart is -1 while there is none. */
  hostStart = -1;
  hostEnd = -1;
  /** -1: no Content-Length. */
  contentLength = -1;
  coding: TransferCodingState = TransferCoding.none;
  expectation: ExpectationState = Expectation.none;
  saysClose = false;
  saysKeepAlive = false;
  readonly #isOfRequests: boolean;

  constructor(kind: MessageKind = 'request') {
    this.#isOfRequests = kind === 'request';
  }

  reset(): void {
    this.hostStart = -1;
    this.contentLength = -1;
    this.coding = TransferCoding.none;
    this.expectation = Expectation.none;
    this.saysClose = false;
    this.saysKeepAlive = false;
  }

  /**
   * Reads one field line: its name is bytes[nameStart, nameEnd), followed by a colon and, up to valueEnd, the value with white
   * space around it. `base` is the index of the head's first byte. Returns why the message is refused, or null.
   */
  take(bytes: Uint8Array, base: number, nameStart: number, nameEnd: number, valueEnd: number): RefusalReason | null {
    const valueStart = nameEnd + 1;
    switch (nameEnd - nameStart) {
      case 4:
        return this.#isOfRequests && equalsIgnoringCase(bytes, nameStart, nameEnd, 'host')
          ? this.#host(bytes, base, valueStart, valueEnd)
          : null;
      case 6:
        if (this.#isOfRequests && equalsIgnoringCase(bytes, nameStart, nameEnd, 'expect'))
          this.#expect(bytes, valueStart, valueEnd);
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

  /** After all fields: why Transfer-Encoding does not frame the content in one way only (RFC 9112 §6.1 and §6.3), or null. */
  codingFault(minorVersion: number): CodingFault | null {
    if (this.coding === TransferCoding.none) return null;
    if (minorVersion === 0) return 'codingInOldVersion';
    if (this.contentLength >= 0) return 'lengthAndCoding';
    if (this.coding === TransferCoding.unknownThenChunked) return 'codingNotImplemented';
    return this.coding === TransferCoding.chunked ? null : 'codingInvalid';
  }

  #host(bytes: Uint8Array, base: number, from: number, to: number): RefusalReason | null {
    if (this.hostStart >= 0) return 'hostRepeated';
    const start = skipSpace(bytes, from, to);
    const end = trimSpace(bytes, start, to);
    if (endOfHost(bytes, start, end) < 0) return 'hostInvalid';
    this.hostStart = start - base;
    this.hostEnd = end - base;
    return null;
  }

  #contentLength(bytes: Uint8Array, from: number, to: number): RefusalReason | null {
    if (this.contentLength >= 0) return 'lengthRepeated';
    const start = skipSpace(bytes, from, to);
    const end = trimSpace(bytes, start, to);
    if (start === end) return 'lengthInvalid';
    let length = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (!isDigit(byte)) return isListOfNumbers(bytes, start, end) ? 'lengthRepeated' : 'lengthInvalid';
      length = length * 10 + (byte - 0x30);
      // Refused before a digit is lost (RFC 9110 §8.6); every limit is smaller.
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
    if (isEmpty) this.coding = TransferCoding.invalid;
  }

  /** A coding with parameters is refused: chunked has none, and other codings are unknown here anyway. */
  #takeCoding(bytes: Uint8Array, start: number, end: number): void {
    const isChunked = equalsIgnoringCase(bytes, start, end, 'chunked');
    let name = start;
    while (name < end && TOKEN[bytes[name] as number] === 1) name++;
    const isToken = name === end;
    if (this.coding === TransferCoding.invalid) return;
    if (!isToken || this.coding === TransferCoding.chunked || this.coding === TransferCoding.unknownThenChunked)
      this.coding = TransferCoding.invalid;
    else if (!isChunked) this.coding = TransferCoding.unknown;
    else this.coding = this.coding === TransferCoding.none ? TransferCoding.chunked : TransferCoding.unknownThenChunked;
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
    const byte = bytes[i] as number;
    if (byte === COMMA) hasComma = true;
    else if (!isDigit(byte) && byte !== SP && byte !== HTAB) return false;
  }
  return hasComma;
}
