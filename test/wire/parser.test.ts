/**
 * Every wire case through the parser alone, and through a connection whose transport is memory: whole, cut in two at every
 * index, and octet by octet. All must give what the case expects.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { cutAt, indicesOf, lengthOf, octetByOctet } from './cuts.ts';
import { casesByOptions, loadCases } from './load-cases.ts';
import type { Part } from './notation.ts';
import { linesOf } from './read-responses.ts';
import { MemoryServer } from './run-memory.ts';
import { type Run, runParser } from './run-parser.ts';

const groups = casesByOptions(loadCases());
const servers: MemoryServer[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

for (const [options, cases] of groups) {
  const { limits } = cases[0] as (typeof cases)[number];
  const title = options === '' ? '' : ` with ${options}`;
  const fast = new MemoryServer(limits, false);
  const slow = new MemoryServer(limits, true);
  servers.push(fast, slow);

  describe(`the parser${title}`, () => {
    for (const { name, sent, expected } of cases) {
      test(name, () => {
        everyWay(sent.parts, (parts, way) => {
          const { lines, end } = runParser(parts, sent.ends, limits);
          expect({ way, lines, end }).toEqual({ way, lines: linesOf(expected.responses, lines), end: expected.end });
        });
      });
    }
  });

  describe(`a connection${title}`, () => {
    for (const { name, sent, expected } of cases) {
      test(name, () => {
        const check = (run: Run, way: string) => {
          const lines = linesOf(expected.responses, run.lines);
          expect({ way, ...run }).toEqual({ way, lines, end: expected.end });
        };
        everyWay(sent.parts, (parts, way) => check(fast.run(parts, sent.ends, expected.responses), way));
        check(slow.run(sent.parts, sent.ends, expected.responses), 'whole, to a slow client');
        const octets = octetByOctet(sent.parts);
        check(slow.run(octets, sent.ends, expected.responses), 'octet by octet, to a slow client');
      });
    }
  });
}

function everyWay(parts: readonly Part[], run: (parts: readonly Part[], way: string) => void): void {
  run(parts, 'whole');
  run(octetByOctet(parts), 'octet by octet');
  for (const index of indicesOf(lengthOf(parts))) run(cutAt(parts, [index]), `cut at ${index}`);
}
