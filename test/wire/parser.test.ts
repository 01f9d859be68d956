/** Every wire case through the parser alone: whole, cut in two at every index, and byte by byte. All must agree. */
import { describe, expect, test } from 'vitest';
import { everyWay } from './cuts.ts';
import { loadCases } from './load-cases.ts';
import { linesOf } from './read-responses.ts';
import { runParser } from './run-parser.ts';

describe('the parser', () => {
  for (const { document, name, sent, limits, expected } of loadCases()) {
    test(`${document}: ${name}`, () => {
      everyWay(sent.parts, (parts, way) => {
        const { lines, end } = runParser(parts, sent.ends, limits);
        expect({ way, lines, end }).toEqual({ way, lines: linesOf(expected.responses, lines), end: expected.end });
      });
    });
  }
});
