import { expect, test } from 'vitest';
import { countPiece } from '../../src/engine/young-pieces.ts';

const PIECE = 64 * 1024;
/** V8 lets 64 MiB of memory outside its heap wait. */
const ALL = 56 * 1024 * 1024;

test('pieces that nobody holds do not wait until V8 collects them by itself', async () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let made = 0; made < ALL; made += PIECE) {
    countPiece(PIECE);
    Buffer.allocUnsafeSlow(PIECE);
    if (made % (4 * 1024 * 1024) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(ALL - 16 * 1024 * 1024);
});

test('the flag that it takes is set for a moment only', () => {
  countPiece(ALL);
  expect('gc' in globalThis).toBe(false);
});
