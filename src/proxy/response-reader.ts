/** Reads the responses that come on one connection, and tells its user of them. Owns the bytes of an unfinished head. */
import { Buffer } from 'node:buffer';
import { UnparsedInput } from '../engine/unparsed-input.ts';
import { Outcome } from '../http/outcome.ts';
import { describeFault } from '../http/response-faults.ts';
import { ResponseParser } from '../http/response-parser.ts';
import type { ConnectionUser } from './connection-user.ts';
import { type FailureReason, faultOf } from './failures.ts';
import { RESPONSE_LIMITS } from './settings.ts';

/** The connection. */
export interface ReaderOwner {
  /** Whoever has asked; changes as soon as it is told that the response is complete, or closes the connection. */
  readonly user: ConnectionUser | null;
  onResponseComplete(user: ConnectionUser, hasSurplus: boolean): void;
  onInvalidResponse(reason: FailureReason, detail: string): void;
}

export class ResponseReader {
  readonly parser = new ResponseParser(RESPONSE_LIMITS);
  /** That of the final response. */
  isHeadComplete = false;
  readonly #owner: ReaderOwner;
  #unparsed: UnparsedInput | null = null;

  constructor(owner: ReaderOwner) {
    this.#owner = owner;
  }

  /** A response has begun. */
  get hasBegun(): boolean {
    return this.isHeadComplete || !this.parser.isUnbegun;
  }

  /** Before a request is written. */
  begin(isToHead: boolean, mayUpgrade: boolean): void {
    this.parser.begin(isToHead, mayUpgrade);
    this.isHeadComplete = false;
  }

  /** bytes[0, length) have arrived; there is a user. */
  take(bytes: Buffer, length: number): void {
    const unparsed = this.#unparsed;
    if (unparsed === null) {
      this.#read(bytes, 0, length);
    } else {
      unparsed.append(bytes, length);
      this.#read(unparsed.bytes, unparsed.seen, unparsed.length);
    }
  }

  /** Nothing more is read. */
  forget(): void {
    this.#unparsed = null;
  }

  /** Uses bytes[from, end); an unfinished head begins at bytes[0]. */
  #read(bytes: Buffer, from: number, end: number): void {
    const owner = this.#owner;
    const user = owner.user as ConnectionUser;
    const { parser } = this;
    let base = 0;
    let at = from;
    while (!this.isHeadComplete) {
      const outcome = parser.readHead(bytes, base, at, end);
      at = parser.position;
      if (outcome === Outcome.refused) {
        this.#refuse();
        return;
      }
      if (outcome === Outcome.needMore) {
        this.#retain(bytes, base, at, end);
        return;
      }
      if (parser.isInterim) {
        user.onInterim(bytes, base, at);
        if (owner.user !== user) return;
        parser.next();
        base = at;
        continue;
      }
      this.isHeadComplete = true;
      user.onHead(bytes, base, at);
      if (owner.user !== user) return;
      if (parser.isUpgrade) {
        const leftover = bytes.subarray(at, end);
        this.#unparsed = null;
        user.onUpgrade(Buffer.from(leftover));
        return;
      }
    }
    this.#unparsed = null;
    this.#readContent(user, bytes, at, end);
  }

  #readContent(user: ConnectionUser, bytes: Buffer, from: number, end: number): void {
    const owner = this.#owner;
    const { parser } = this;
    let at = from;
    for (;;) {
      const outcome = parser.readBody(bytes, at, end);
      at = parser.position;
      if (parser.trailerStart >= 0) user.onTrailers(bytes, parser.trailerStart, at);
      switch (outcome) {
        case Outcome.content:
          user.onContent(bytes, parser.contentStart, parser.contentEnd);
          if (owner.user !== user) return;
          break;
        case Outcome.complete:
          owner.onResponseComplete(user, at < end);
          return;
        case Outcome.refused:
          this.#refuse();
          return;
        default:
          user.onReadEnd();
          return;
      }
    }
  }

  #retain(bytes: Buffer, base: number, seen: number, end: number): void {
    let unparsed = this.#unparsed;
    if (unparsed !== null && unparsed.bytes === bytes) {
      if (base > 0) unparsed.drop(base);
    } else {
      this.#unparsed = unparsed = new UnparsedInput(bytes, base, end);
    }
    unparsed.seen = seen - base;
  }

  #refuse(): void {
    const { fault } = this.parser;
    this.#owner.onInvalidResponse(faultOf(fault), describeFault(fault));
  }
}
