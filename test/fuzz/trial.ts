/**
 * Tries one input: feeds it to the parser whole, byte by byte and in random pieces, as the engine does. The results must be
 * equal, and nothing may throw. The bytes around a piece are poison, which the parser must not read.
 */
import { Buffer } from 'node:buffer';
import type { RequestLimits } from '../../src/http/limits.ts';
import { Outcome } from '../../src/http/outcome.ts';
import { RequestParser } from '../../src/http/request-parser.ts';
import type { Random } from './random.ts';

/** Ordinary limits, and small ones that are often reached. */
export const LIMITS: readonly RequestLimits[] = [
  { maxRequestLine: 8192, maxHeaderSize: 8192, maxHeaderCount: 100, maxBodySize: 1024 ** 2 },
  { maxRequestLine: 64, maxHeaderSize: 96, maxHeaderCount: 3, maxBodySize: 32 },
];

/** Bytes that would change the result if they were read. */
const POISONS = ['\r\n\r\n', '0', '5', ' ', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', '\0', ':', 'x'];

export interface Trial {
  /** What happened, in words; must be the same however the input is fed. */
  readonly trace: string;
  /** The outcome and the number of requests before it: an input with a new one is worth keeping. */
  readonly shape: string;
}

/** Throws if the results differ; `random` chooses pieces and poison. */
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

/** Does what `Connection` does: keeps an unfinished head, and passes everything else to the parser as it arrives. */
function feed(bytes: Buffer, limits: RequestLimits, nextLength: () => number, poison: Random | null): Trial {
  const parser = new RequestParser(limits);
  let trace = '';
  let last = '';
  let count = 0;
  const shapeOf = (end: string) => `${Math.min(count, 3)} ${last} ${end}`;
  let isInBody = false;
  let contentLength = 0;
  /** Offsets in `bytes`: the start of the head that is being read, and of the next piece. */
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
        if (position !== stop) throw new Error(`needs more at ${position}, before ${stop}`);
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
        // Counted from the head's first byte; whether empty lines before it belong to it depends on the pieces.
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
