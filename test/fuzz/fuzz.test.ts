import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { REFUSALS } from '../../src/http/refusals.ts';
import { CORPUS_FILE, escapeInput, fuzz, minimise, readCorpus } from './fuzz.ts';
import { Random } from './random.ts';
import { LIMITS, tryInput } from './trial.ts';

/** Reasons for which only the engine refuses. */
const NOT_OF_THE_PARSER = [
  'contentNotJson',
  'upgradeImpossible',
  'handlerTooSlow',
  'ended',
  'headTooSlow',
  'bodyTooSlow',
  'requestTooSlow',
  'tooManyConnections',
  'tlsRequired',
  'handlerFailed',
];

test('the parser gives the same result however it is fed', () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 20261121);
  const { inputs, failure } = fuzz(seed, 30_000, readCorpus());
  const text =
    failure === null ? '' : `seed ${seed}, input ${inputs}: ${escapeInput(failure.input)}\n${failure.message}`;
  expect(text).toBe('');
});

test('the same seed tries the same inputs', () => {
  expect(fuzz(7, 500, [])).toEqual(fuzz(7, 500, []));
  expect(fuzz(7, 500, []).kept).not.toEqual(fuzz(8, 500, []).kept);
});

describe('the corpus', () => {
  test('is small', () => {
    expect(statSync(CORPUS_FILE).size).toBeLessThan(200_000);
  });

  test('reaches every refusal of the parser', () => {
    const random = new Random(1);
    const shapes = readCorpus().flatMap((input) =>
      LIMITS.map((limits) => tryInput(Buffer.from(input, 'latin1'), limits, random).shape),
    );
    const causes = Object.keys(REFUSALS).filter((cause) => !NOT_OF_THE_PARSER.includes(cause));
    expect(causes.filter((cause) => !shapes.some((shape) => shape.includes(cause)))).toEqual([]);
  });
});

test('a failing input is shortened as long as it fails', () => {
  const isFailing = (input: string) => input.includes('x') && input.includes('\n');
  expect(minimise('GET /x HTTP/1.1\r\nHost: a\r\n\r\n', isFailing)).toBe('x\n');
});
