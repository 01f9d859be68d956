/** Feeds a response parser with pieces, as a connection does, and says what came of them. */
import { Buffer } from 'node:buffer';
import { UNLIMITED_BODY } from '../../src/http/limits.ts';
import { Outcome, type OutcomeValue } from '../../src/http/outcome.ts';
import { ResponseParser } from '../../src/http/response-parser.ts';

export interface ReadOptions {
  readonly isToHead?: boolean;
  readonly mayUpgrade?: boolean;
  /** The connection ends after the last piece. */
  readonly ends?: boolean;
  readonly maxStatusLine?: number;
  readonly maxHeaderSize?: number;
  readonly maxHeaderCount?: number;
}

const NAMES = ['none', 'length', 'lastChunk', 'close'] as const;
/** Surrounds the bytes: a parser that reads beyond its end gets this. */
const MARGIN = Buffer.alloc(8, 0xff);

/** One line for each head, for the content and the trailers, and for the end. */
export function readResponses(pieces: readonly Buffer[], options: ReadOptions = {}): string[] {
  const run = new Run(options);
  for (const piece of pieces) run.feed(piece);
  if (options.ends === true) run.finish();
  return run.report();
}

class Run {
  readonly #parser: ResponseParser;
  readonly #lines: string[] = [];
  #content = '';
  #trailers = '';
  #isHeadComplete = false;
  #end: string | null = null;
  /** Bytes of an unfinished head, and how many of them the parser has read. */
  #kept = Buffer.alloc(0);
  #seen = 0;
  /** Bytes after the response. */
  #surplus = '';

  constructor(options: ReadOptions) {
    const { maxStatusLine = 1000, maxHeaderSize = 1000, maxHeaderCount = 20 } = options;
    this.#parser = new ResponseParser({ maxStatusLine, maxHeaderSize, maxHeaderCount, maxBodySize: UNLIMITED_BODY });
    this.#parser.begin(options.isToHead === true, options.mayUpgrade === true);
  }

  feed(piece: Buffer): void {
    const bytes = Buffer.concat([MARGIN, this.#kept, piece, MARGIN]);
    const start = MARGIN.length;
    const end = bytes.length - MARGIN.length;
    let at = start + this.#seen;
    let base = start;
    while (this.#end === null && !this.#isHeadComplete) {
      const outcome = this.#parser.readHead(bytes, base, at, end);
      at = this.#checked(outcome, at, end);
      if (outcome === Outcome.needMore) {
        this.#kept = bytes.subarray(base, end);
        this.#seen = at - base;
        return;
      }
      if (outcome === Outcome.complete) base = this.#takeHead(bytes, base, at);
    }
    this.#kept = Buffer.alloc(0);
    this.#seen = 0;
    while (this.#end === null) {
      const outcome = this.#parser.readBody(bytes, at, end);
      at = this.#checked(outcome, at, end);
      const { contentStart, contentEnd, trailerStart } = this.#parser;
      if (outcome === Outcome.content) this.#content += bytes.toString('latin1', contentStart, contentEnd);
      if (trailerStart >= 0) this.#trailers += bytes.toString('latin1', trailerStart, at);
      if (outcome === Outcome.complete) this.#end = 'complete';
      if (outcome === Outcome.needMore) return;
    }
    this.#surplus += bytes.toString('latin1', at, end);
  }

  finish(): void {
    if (this.#end !== null) return;
    this.#end = this.#parser.end() === Outcome.complete ? 'complete' : `refused: ${this.#parser.fault}`;
  }

  report(): string[] {
    const trailers = this.#trailers.replaceAll('\r\n', ' ').replace(/ {2}$/, '');
    const lines = [...this.#lines];
    if (this.#end === 'upgrade') return [`upgrade, then "${this.#surplus}"`];
    if (this.#isHeadComplete) lines.push(this.#content);
    if (trailers !== '' && trailers !== ' ') lines.push(trailers);
    if (this.#end !== null) lines.push(this.#end);
    if (this.#end === 'complete' && this.#surplus !== '') lines.push(`${this.#surplus.length} bytes too many`);
    return lines;
  }

  /** Returns where the next head begins. */
  #takeHead(bytes: Buffer, base: number, at: number): number {
    const { line, status, isInterim, isUpgrade, persists, bodyEnd } = this.#parser;
    if (isInterim) {
      this.#lines.push(`interim ${status}`);
      this.#parser.next();
      return at;
    }
    if (isUpgrade) {
      this.#end = 'upgrade';
      return at;
    }
    this.#isHeadComplete = true;
    const reason = bytes.toString('latin1', base + line.reasonStart, base + line.reasonEnd);
    this.#lines.push(`${status} "${reason}" ${persists ? 'keep-alive' : 'close'} ${NAMES[bodyEnd]}`);
    return at;
  }

  #checked(outcome: OutcomeValue, at: number, end: number): number {
    const { position, fault } = this.#parser;
    if (position < at || position > end) throw new Error(`position ${position} is outside of what was given`);
    if (outcome === Outcome.needMore && position !== end) throw new Error('needs more, but has not read everything');
    if (outcome === Outcome.refused) this.#end = `refused: ${fault}`;
    return position;
  }
}
