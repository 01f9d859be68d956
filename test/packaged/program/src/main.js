/** Does what programs do with modules, files, threads and processes, and prints what it finds. */
import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import fs, { createReadStream, readdirSync, statSync } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import * as c from './c.cjs';
import data from './data.json' with { type: 'json' };

if (cluster.isWorker) {
  process.send(`cluster worker ${process.argv.slice(2)}`);
  process.exit(0);
}
const { dirname, filename, url } = import.meta;
console.log('argv', process.argv.slice(1), 'main', import.meta.main, url, dirname);
console.log('json', data, 'cjs', c);
console.log('dynamic', (await import('./dyn.mjs')).d);
console.log('resolve', import.meta.resolve('./dyn.mjs'), createRequire(url)('./c.cjs').one);
console.log('folder', readdirSync(dirname).sort(), (await readdir(dirname, { withFileTypes: true })).length);
console.log(
  'stats',
  statSync(filename).isFile(),
  (await stat(dirname)).isDirectory(),
  (await readFile(filename)).length,
);
let length = 0;
for await (const chunk of createReadStream(filename, { start: 5, end: 14 })) length += chunk.length;
console.log('range', length);
const handle = await open(filename);
console.log('handle', (await handle.readFile('utf8')).length, (await handle.stat()).size);
await handle.close();
const descriptor = fs.openSync(filename);
const bytes = Buffer.alloc(6);
console.log('read', fs.readSync(descriptor, bytes), bytes.toString(), fs.readSync(descriptor, bytes), bytes.toString());
fs.closeSync(descriptor);
console.log(
  'callback',
  await new Promise((resolve) => fs.readFile(filename, 'utf8', (_, text) => resolve(text.length))),
);
const copied = fs.mkdtempSync(path.join(tmpdir(), 'vrypt-copied-'));
fs.cpSync(dirname, path.join(copied, 'all'), { recursive: true });
console.log('copied', readdirSync(path.join(copied, 'all')).sort());
fs.rmSync(copied, { recursive: true });
const opened = [];
for await (const entry of await fs.promises.opendir(dirname)) opened.push(`${entry.name} ${entry.isFile()}`);
console.log('opened', opened.sort());
const before = process.cwd();
process.chdir(dirname);
console.log('in', process.cwd(), path.resolve('data.json'), fs.readFileSync('data.json', 'utf8').length);
process.chdir('..');
console.log('above', process.cwd(), readdirSync('src').length, fs.existsSync('data.json'), statSync('.').isDirectory());
for (const folder of ['src/data.json', 'nope']) {
  try {
    process.chdir(folder);
  } catch ({ code, message, path, dest }) {
    console.log('not there', code, message, path, dest);
  }
}
process.chdir('/');
console.log('out', process.cwd(), fs.existsSync('src'));
process.chdir(before);
const missing = path.join(dirname, 'nope');
console.log('missing', await readFile(missing).catch((error) => error.code), fs.existsSync(missing));
const worker = new Worker(new URL('./w.js', url), { workerData: 5 });
console.log('worker', (await once(worker, 'message'))[0]);
console.log('fork', (await once(fork(path.join(dirname, 'child.js'), ['x', '--y']), 'message'))[0]);
cluster.setupPrimary({ args: ['z'] });
console.log('cluster', (await once(cluster.fork(), 'message'))[0]);
try {
  (await import('./err.js')).f();
} catch (error) {
  console.log(error.stack.split('\n').slice(0, 3).join('|'));
}
await import('nope-package').catch((error) => console.log(error.code, error.message));
