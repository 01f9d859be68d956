import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import data from './data.json' with { type: 'json' };

parentPort.postMessage({
  workerData,
  isMainThread,
  url: import.meta.url,
  argv: process.argv.slice(1),
  data,
  self: readFileSync(import.meta.filename, 'utf8').length,
  g: typeof globalThis.require,
});
