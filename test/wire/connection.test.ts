/**
 * Every wire case through a real engine whose transport is memory: whole, cut in two at every index, and byte by byte; every
 * byte that is sent is checked. Then once more with a client that makes every write wait.
 */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { byteByByte, everyWay } from './cuts.ts';
import { casesByOptions, loadCases, type WireCase } from './load-cases.ts';
import type { Part } from './notation.ts';
import { linesOf } from './read-responses.ts';
import { MemoryServer } from './run-memory.ts';

const servers: MemoryServer[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

// The engines' clocks tick in turns of the event loop, which never come in tests that do not wait.
beforeEach(() => new Promise((resolve) => setImmediate(resolve)));

function check(server: MemoryServer, { sent, expected }: WireCase, parts: readonly Part[], way: string): void {
  const run = server.run(parts, sent.ends, expected.responses);
  expect({ way, ...run }).toEqual({ way, lines: linesOf(expected.responses, run.lines), end: expected.end });
}

for (const [options, cases] of casesByOptions(loadCases())) {
  const { limits } = cases[0] as WireCase;
  const title = options === '' ? '' : ` with ${options}`;
  const fast = new MemoryServer(limits, false);
  const slow = new MemoryServer(limits, true);
  servers.push(fast, slow);

  describe(`a connection${title}`, () => {
    for (const one of cases) {
      test(`${one.document}: ${one.name}`, () => {
        everyWay(one.sent.parts, (parts, way) => check(fast, one, parts, way));
      });
    }
  });

  describe(`a connection to a slow client${title}`, () => {
    for (const one of cases) {
      test(`${one.document}: ${one.name}`, () => {
        check(slow, one, one.sent.parts, 'whole');
        check(slow, one, byteByByte(one.sent.parts), 'byte by byte');
      });
    }
  });
}
