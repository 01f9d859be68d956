/** Runs one file of the web platform's tests and prints a line of JSON for each subtest. See wpt.ts. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { installGlobals } from '../../src/fetch/index.ts';

interface Subtest {
  readonly name: string;
  readonly status: number;
  readonly message: string | null;
}

const [folder = '', file = '', whose = '', base = ''] = process.argv.slice(2);
const location = new URL(file.replaceAll(path.sep, '/'), `${base}/`);

if (whose === 'ours') installGlobals();
Object.assign(globalThis, {
  self: globalThis,
  // What relative URLs are resolved against, by Node's classes and by ours.
  [Symbol.for('undici.globalOrigin.1')]: location,
});
Object.defineProperty(globalThis, 'location', { value: location, configurable: true, writable: true });

load(path.join(folder, 'resources/testharness.js'));
// Tests expect the interfaces of a dedicated worker; the harness itself must not see them.
Object.assign(globalThis, {
  DedicatedWorkerGlobalScope: {
    [Symbol.hasInstance]: () => true,
  },
});
const harness = globalThis as unknown as {
  add_result_callback(callback: (subtest: Subtest) => void): void;
  add_completion_callback(callback: () => void): void;
  done(): void;
};
harness.add_result_callback(({ name, status, message }) => {
  process.stdout.write(`${JSON.stringify({ name, isPassed: status === 0, message })}\n`);
});
harness.add_completion_callback(() => process.exit());
// Unhandled rejections are part of some tests.
process.on('unhandledRejection', () => {});
process.on('uncaughtException', () => {});

const text = readFileSync(path.join(folder, file), 'utf8');
for (const [, script = ''] of text.matchAll(/^\/\/ META: script=(.+)$/gm)) {
  load(script.startsWith('/') ? path.join(folder, script) : path.join(folder, path.dirname(file), script));
}
load(path.join(folder, file));
harness.done();

function load(name: string): void {
  vm.runInThisContext(readFileSync(name, 'utf8'), { filename: name });
}
