/**
 * One input on trial: fed to the parser whole, byte by byte and in random pieces, in the way the engine does it. What comes
 * out must be the same, and nothing may throw. Bytes around a piece are poison that nobody may look at.
 */
import { Buffer } from 'node:buffer';
import type { RequestLimits } from '../../src/http/limits.ts';
import { Outcome } from '../../src/http/outcome.ts';
import { RequestParser } from '../../src/http/request-parser.ts';
import type { Random } from './random.ts';

/** Everyday limits, and small ones that are reached all the time. */
export const LIMITS: readonly RequestLimits[] = [
  { maxRequestLine: 8192, maxHeaderSize: 8192, maxHeaderCount: 100, maxBodySize: 1024 ** 2 },
  { maxRequestLine: 64, maxHeaderSize: 96, maxHeaderCount: 3, maxBodySize: 32 },
];

/** What would be taken for something, if it was read. */
const POISONS = ['\r\n\r\n', '0', '5', ' ', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\0', ':', 'x'];

export interface Trial {
  /** What happened, in words; the same for every way of feeding. */
  readonly trace: string;
  /** What happened in the end, and how many requests came before it: inputs that differ in it are worth keeping. */
  readonly shape: string;
}

/** Throws where the ways of feeding disagree; `random` chooses pieces and poison. */
export function tryInput(bytes: Buffer, limits: RequestLimits, random: Random): Trial {
  const whole = feed(bytes, limits, () => bytes.length, null);
  const single = feed(bytes, limits, () => 1, random);
  const pieces = feed(bytes, limits, () => 1 + random.below(random.oneIn(2) ? 8 : 64), random);
  if (single.trace !== whole.trace) throw new Disagreement('byte by byte', whole.trace, single.trace);
  if (pieces.trace !== whole.trace) throw new Disagreement('in pieces', whole.trace, pieces.trace);
  return whole;
}

export class Disagreement extends Error {
  constructor(way: string, whole: string, other: string) {
    super(`fed whole: ${whole}\nfed ${way}: ${other}`);
  }
}

/** Does what `Connection` does: keeps an unfinished head, gives the parser everything else as it comes. */
function feed(bytes: Buffer, limits: RequestLimits, nextLength: () => number, poison: Random | null): Trial {
  const parser = new RequestParser(limits);
  let trace = '';
  let last = '';
  let count = 0;
  const shapeOf = (end: string) => `${Math.min(count, 3)} ${last} ${end}`;
  let isInBody = false;
  let contentLength = 0;
  /** Of `bytes`: where the head that is being read begins, and where the next piece does. */
  let headStart = 0;
  let fed = 0;
  while (fed < bytes.length) {
    const end = Math.min(bytes.length, fed + nextLength());
    // The view holds the unfinished head, if there is one, and the new piece.
    const start = isInBody || parser.isBetweenRequests ? fed : headStart;
    const before = poison === null ? 0 : poison.below(20);
    const view = poison === null ? bytes : poisoned(bytes, start, end, before, poison);
    const shift = poison === null ? 0 : before - start;
    let at = fed + shift;
    const stop = end + shift;
    let base = start + shift;
    while (at < stop || isInBody) {
      const outcome = isInBody ? parser.readBody(view, at, stop) : parser.readHead(view, base, at, stop);
      const { position } = parser;
      if (position < at || position > stop) throw new Error(`position ${position} is outside of ${at} to ${stop}`);
      if (outcome === Outcome.refused) {
        const how = isInBody ? ' in content' : '';
        return {
          trace: `${trace}${parser.refusalReason} at ${position - shift}, HEAD ${parser.isHead}`,
          shape: shapeOf(`${parser.refusalReason}${how}`),
        };
      }
      if (outcome === Outcome.needMore) {
        if (position !== stop) throw new Error(`wants more at ${position}, of ${stop}`);
        break;
      }
      at = position;
      if (outcome === Outcome.content) {
        if (parser.contentEnd > at) throw new Error(`content ends at ${parser.contentEnd}, beyond ${at}`);
        contentLength += parser.contentEnd - parser.contentStart;
        continue;
      }
      if (!isInBody) {
        const flags = `${parser.line.minorVersion}${+parser.isHead}${+parser.persists}${+parser.hasBody}${+parser.expectsContinue}`;
        const places = [parser.line.methodStart, parser.line.methodEnd, parser.line.targetStart, parser.line.targetEnd];
        // Counted from the head's first byte; empty lines before it belong to it or not, as they came.
        trace += `head ${flags} (${places.map((place) => place + base - shift)}) to ${at - shift}; `;
        last = flags;
        count++;
        isInBody = parser.hasBody;
        if (isInBody) continue;
      } else {
        trace += `${contentLength} bytes of content to ${at - shift}; `;
        contentLength = 0;
        isInBody = false;
      }
      parser.reset();
      base = at;
    }
    headStart = base - shift;
    fed = end;
  }
  const waits = isInBody ? 'content' : parser.isBetweenRequests ? 'nothing' : 'head';
  return { trace: `${trace}waits in ${waits}`, shape: shapeOf(waits) };
}

function poisoned(bytes: Buffer, start: number, end: number, before: number, random: Random): Buffer {
  const view = Buffer.allocUnsafe(before + end - start + 40);
  view.fill(random.pick(POISONS), 'latin1');
  bytes.copy(view, before, start, end);
  return view;
}
