/**
 * Feeds a request parser with pieces, keeps the bytes of an unfinished head, and says what would be answered: what a
 * connection does, without a socket, clock or handler.
 */
import { Buffer } from 'node:buffer';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { Outcome } from '../../src/http/outcome.ts';
import { REFUSALS, type RefusalReason } from '../../src/http/refusals.ts';
import { RequestParser } from '../../src/http/request-parser.ts';
import type { EndState } from './load-cases.ts';
import type { Part } from './notation.ts';

export interface Run {
  /** In the form of a case's lines. */
  readonly lines: readonly string[];
  readonly end: EndState;
}

/** Surrounds the bytes: a parser that reads beyond its end gets this. */
const AROUND = 0xff;
const MARGIN = 16;

export function runParser(parts: readonly Part[], ends: boolean, limits: EngineLimits): Run {
  const client = new ParserRun(limits);
  for (const { afterAnswers, bytes } of parts) {
    if (client.lines.length < afterAnswers) throw new Error(`still no answer number ${afterAnswers}: ${client.lines}`);
    client.feed(bytes);
  }
  if (ends) client.finish();
  return { lines: client.lines, end: client.end };
}

class ParserRun {
  readonly lines: string[] = [];
  readonly #maxRequests: number;
  #parser: RequestParser;
  #bytes = Buffer.alloc(64, AROUND);
  /** Offsets: the start of the current head, where the parser stopped, the end of the bytes. */
  #base = MARGIN;
  #at = MARGIN;
  #end = MARGIN;
  #requests = 0;
  #isHeadComplete = false;
  #isLast = false;
  #isClosed = false;

  constructor(limits: EngineLimits) {
    this.#maxRequests = limits.maxRequests;
    this.#parser = new RequestParser(limits);
  }

  get end(): EndState {
    if (this.#isLast || this.#isClosed) return 'closed';
    return this.#isHeadComplete || !this.#parser.isBetweenRequests ? 'waiting' : 'open';
  }

  feed(bytes: Buffer): void {
    if (this.#isLast) return;
    this.#append(bytes);
    while (!this.#isLast && this.#step()) {}
  }

  /** The client half-closes: an unfinished request is refused. */
  finish(): void {
    if (this.end === 'waiting') this.#refuse('ended');
    this.#isClosed = true;
  }

  /** Reads one head or one content; false if more bytes are needed. */
  #step(): boolean {
    const parser = this.#parser;
    if (!this.#isHeadComplete) {
      const outcome = parser.readHead(this.#bytes, this.#base, this.#at, this.#end);
      if (!this.#takeOutcome(outcome)) return false;
      this.#isHeadComplete = true;
    }
    if (parser.hasBody) {
      if (parser.expectsContinue) {
        parser.expectsContinue = false;
        if (this.#at === this.#end) this.lines.push('100');
      }
      let outcome = parser.readBody(this.#bytes, this.#at, this.#end);
      while (outcome === Outcome.content) outcome = parser.readBody(this.#bytes, parser.position, this.#end);
      if (!this.#takeOutcome(outcome)) return false;
    }
    let line = parser.isHead ? '200 without content' : '200';
    this.#isLast = !parser.persists || ++this.#requests === this.#maxRequests;
    if (this.#isLast) line += ' close';
    this.lines.push(line);
    parser.reset();
    this.#isHeadComplete = false;
    this.#base = this.#at;
    return this.#at < this.#end;
  }

  /** True for `complete`. */
  #takeOutcome(outcome: number): boolean {
    const { position } = this.#parser;
    if (position < this.#at || position > this.#end)
      throw new Error(`position ${position} is outside of what was given`);
    if (outcome === Outcome.needMore && position !== this.#end)
      throw new Error('needs more, but has not read everything');
    this.#at = position;
    if (outcome === Outcome.refused) this.#refuse(this.#parser.refusalReason);
    return outcome === Outcome.complete;
  }

  #refuse(cause: RefusalReason): void {
    const line = `${REFUSALS[cause].status} ${cause}`;
    this.lines.push(this.#parser.isHead ? `${line} without content` : line);
    this.#isLast = true;
  }

  #append(bytes: Buffer): void {
    // An unfinished head is kept and moved; content is not kept.
    const keptFrom = this.#isHeadComplete ? this.#at : this.#base;
    const kept = this.#bytes.subarray(keptFrom, this.#end);
    const length = MARGIN + kept.length + bytes.length + MARGIN;
    const next = length > this.#bytes.length ? Buffer.allocUnsafe(2 * length) : this.#bytes;
    next.set(kept, MARGIN);
    next.fill(AROUND, 0, MARGIN);
    next.set(bytes, MARGIN + kept.length);
    this.#at += MARGIN - keptFrom;
    this.#base = MARGIN;
    this.#end = MARGIN + kept.length + bytes.length;
    next.fill(AROUND, this.#end, this.#end + MARGIN);
    this.#bytes = next;
  }
}
