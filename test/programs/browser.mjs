/** Opens the packaged front end in headless Chromium: what its script writes must be on the page. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

async function run({ server }) {
  const options = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=10000', '--dump-dom'];
  const { stdout } = await promisify(execFile)('chromium', [...options, `http://127.0.0.1:${server.port}/`]);
  if (!stdout.includes('built by Vite')) throw new Error(`the page must say "built by Vite", got ${stdout}`);
}

export const checks = { asked: [{ sentence: 'works in Chromium', run }], alone: [], last: [] };
