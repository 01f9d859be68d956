/**
 * Writes symbols.txt: the functions that a server runs and the modules of Node that it loads, in the order of first use.
 * The linker places them together, so that what is used fills a third of the pages. QEMU reports what runs, Node what it
 * loads; names that a target lacks do no harm.
 *
 *     npm run runtime:order     # takes a minute
 *
 * The x86_64 and the armv7 musl runtime are run, those of them that are in build/runtime/. If one is not, the names that the file has
 * already are kept, behind the new ones.
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { $ } from 'zx';
import { bundle } from '../steps/bundle.ts';
import { command } from '../support/command.ts';
import { Failure } from '../support/errors.ts';
import { lockBuild } from '../support/lock.ts';
import { say } from '../support/progress.ts';
import { findTargets, readTargets } from '../targets/targets.ts';
import { nodeTree, placesOf, symbols, work } from './paths.ts';

/** One of each word size: C++ names differ between 32 and 64 bits. Always emulated: QEMU's log is the point. */
const measured = ['x86_64-unknown-linux-musl', 'armv7-unknown-linux-musleabihf'];

/** V8's builtins are one piece, in V8's own order. */
const notMovable = /^Builtins_/;

/** Long enough for every emulated worker to trim its heap: garbage collection is a good part of what runs. */
const trimmedMs = 10_000;

/** V8 hashes a module's source when it loads it, unless it is longer; then it reads only the code cache. */
const longestHashed = 16_383;

const functions = new Set<string>();
const modules = new Set<string>();

await command({ about: 'Writes scripts/runtime/symbols.txt, the order of functions in runtimes.' }, async () => {
  await lockBuild();
  const all = findTargets(readTargets(), measured);
  const built = all.filter((target) => existsSync(join(placesOf(target).out, 'node')));
  if (built.length === 0) throw new Failure(`one of ${measured.join(', ')} must be in build/runtime/, none is`);
  for (const target of built) {
    const log = join(work, 'order', `${target.triple}.log`);
    await mkdir(dirname(log), { recursive: true });
    const { emulator } = target.architecture;
    const { code } = await bundle(target);
    await runServer(code, [emulator, '-d', 'in_asm', '-D', log, join(placesOf(target).out, 'node')]);
    await addFunctions(log);
    await rm(log);
    say(`${target.triple}: ${functions.size} functions, ${modules.size} modules`);
  }
  const caches = [...modules].map((id) => mangle(['node'], `${variableOf(id)}_cache_data`));
  const sources = [...modules]
    .filter((id) => statSync(join(nodeTree, 'lib', `${id}.js`)).size <= longestHashed)
    .map((id) => mangle(['node', 'builtins'], `${variableOf(id)}_raw`));
  const before = built.length < all.length ? (await readFile(symbols, 'utf8')).trimEnd().split('\n') : [];
  await writeFile(symbols, `${[...new Set([...functions, ...caches, ...sources, ...before])].join('\n')}\n`);
});

/** The name of a module's data in tools/js2c.cc and src/node_snapshotable.cc. */
function variableOf(id: string): string {
  return id.replace(/[-./]/g, '_');
}

/** A static variable's name in the object file, by the Itanium C++ ABI. */
function mangle(namespaces: readonly string[], name: string): string {
  const prefix = namespaces.map((namespace) => `${namespace.length}${namespace}`).join('');
  return `_ZN${prefix}L${name.length}${name}E`;
}

async function addFunctions(log: string): Promise<void> {
  for await (const line of createInterface(createReadStream(log, 'latin1'))) {
    const name = /^IN: (\S+)/.exec(line)?.[1];
    if (name !== undefined && !notMovable.test(name)) functions.add(name);
  }
}

async function runServer(code: string, node: readonly string[]): Promise<void> {
  const server = $({
    env: { ...process.env, NODE_DEBUG_NATIVE: 'CODE_CACHE' },
  })`${node} ${code} -H 127.0.0.1 -p 0 -w 2`.quiet();
  for await (const line of server) {
    const address = /http:\S+/.exec(line)?.[0];
    if (address === undefined) continue;
    await new Promise((resolve) => setTimeout(resolve, trimmedMs));
    for (let count = 0; count < 50; count++) await request(address, count);
    server.kill('SIGTERM');
  }
  for (const [, id] of (await server).stderr.matchAll(/^Compiling (\S+) with code cache/gm)) if (id) modules.add(id);
}

/** Persistent connections and others, with content and without. */
async function request(address: string, count: number): Promise<void> {
  const close = count % 2 === 0 ? { connection: 'close' } : {};
  const response = await fetch(`${address}/${count}`, {
    headers: { ...close, 'x-count': `${count}` },
    ...(count % 5 === 0 ? { method: 'POST', body: 'content' } : {}),
  });
  await response.text();
}
