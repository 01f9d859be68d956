import { defineConfig } from 'vitest/config';

// Two projects: `source` needs nothing but Node; `packaged` first makes the executables that it tries.
const slow = process.env['CI'] ? 2 : 1;

export default defineConfig({
  test: {
    testTimeout: 15_000 * slow,
    hookTimeout: 15_000 * slow,
    projects: [
      {
        extends: true,
        test: {
          name: 'source',
          include: ['test/**/*.test.ts'],
          exclude: ['test/packaged/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'packaged',
          include: ['test/packaged/**/*.test.ts'],
          globalSetup: ['test/packaged/setup.ts'],
          testTimeout: 60_000,
        },
      },
    ],
  },
});
