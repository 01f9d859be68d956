/** What `init` reads out of a project's package.json. */
import { expect, test } from 'vitest';
import { startedBy } from '../../scripts/commands/init.ts';

test.each([
  ['node dist/index.js', 'dist/index.js', []],
  ['node ./bin/www', './bin/www', []],
  ['NODE_ENV=production node --enable-source-maps server.mjs --port 1', 'server.mjs', []],
  ['node -r dotenv/config index.js', 'index.js', ['-r dotenv/config']],
  ['node --import tsx src/main.ts', 'src/main.ts', []],
  ['tsx watch src/main.ts', 'src/main.ts', []],
  ['npm run build && node dist/main', 'dist/main', []],
  ['nest start', undefined, []],
])('"%s" starts %s', (script, file, preloaded) => {
  expect(startedBy(script)).toEqual([file, preloaded]);
});
