/** Compresses answers of upstreams: which ones, by what the client accepts. */
import type { Transform } from 'node:stream';
import { encodedFields, encoderFor, mayEncode } from '../content/encoding.ts';
import type { ContentCoding } from '../content/negotiation.ts';
import type { AnswerCoding, EncodedHead } from '../proxy/encoded-content.ts';
import { fieldsIn, linesOf } from './answer-shape.ts';

export class AnswerCoder implements AnswerCoding {
  readonly #coding: ContentCoding | 'identity';
  readonly #minSize: number;
  readonly #shrinks: (type: string) => boolean;

  constructor(coding: ContentCoding | 'identity', minSize: number, shrinks: (type: string) => boolean) {
    this.#coding = coding;
    this.#minSize = minSize;
    this.#shrinks = shrinks;
  }

  encode(status: number, lines: string, length: number, hasContent: boolean): EncodedHead | null {
    const fields = fieldsIn(lines);
    if (!mayEncode(status, fields, length < 0 ? null : length, this.#minSize, this.#shrinks)) return null;
    const coding = this.#coding;
    const coder: Transform | null = coding === 'identity' || !hasContent ? null : encoderFor(coding);
    return { lines: linesOf(encodedFields(fields, coding)), coder, keepsLength: coding === 'identity' };
  }
}
