import { defineConfig } from 'vitest/config';

// `source` needs only Node; `packaged` first makes the executables that it tries.
const packaged = ['test/packaged/**/*.test.ts', 'test/**/packaged.test.ts'];
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
          exclude: packaged,
        },
      },
      {
        extends: true,
        test: {
          name: 'packaged',
          include: packaged,
          globalSetup: ['test/packaged/setup.ts'],
          testTimeout: 60_000,
        },
      },
    ],
  },
});
