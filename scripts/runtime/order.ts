/**
 * Writes symbols.txt: the functions that a server runs and the modules of Node that it loads, in the order of their first use.
 * The linker puts them next to each other, so that what is used lies in a third of the pages. QEMU says what runs, Node what it
 * loads; names that a target lacks do no harm.
 *
 *     npm run runtime:order     # wants built x86_64 and armv7 musl runtimes in build/runtime/, takes a minute
 */
import { createReadStream, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { $ } from 'zx';
import { bundle } from '../bundle.ts';
import { NODE_TREE, placesOf, SYMBOLS, WORK } from './paths.ts';
import { findPlatform } from './platforms.ts';

/** One of each word size: C++ names tell 32 bits from 64. Emulated, also where it would run here: QEMU's log is the point. */
const EMULATORS = {
  'x86_64-unknown-linux-musl': 'qemu-x86_64-static',
  'armv7-unknown-linux-musleabihf': 'qemu-arm-static',
} as const;

/** V8's builtins lie in one piece, in V8's own order. */
const NOT_MOVABLE = /^Builtins_/;

/** Until every worker has trimmed its heap, emulated: garbage collection is a good part of what runs. */
const TRIMMED_MS = 10_000;

/** V8 hashes a module's source when it loads it, unless it is longer; then it needs the code cache only. */
const LONGEST_HASHED = 16_383;

const functions = new Set<string>();
const modules = new Set<string>();
const targets = Object.entries(EMULATORS).map(([triple, emulator]) => ({ platform: findPlatform(triple), emulator }));
for (const { platform, emulator } of targets) {
  if (platform === undefined) throw new Error('a triple is not in platforms.ts');
  const log = join(WORK, 'order', `${platform.triple}.log`);
  await mkdir(dirname(log), { recursive: true });
  await runServer([emulator, '-d', 'in_asm', '-D', log, join(placesOf(platform).out, 'node')]);
  await addFunctions(log);
  await rm(log);
  console.log(`${platform.triple}: ${functions.size} functions, ${modules.size} modules`);
}
const caches = [...modules].map((id) => mangle(['node'], `${variableOf(id)}_cache_data`));
const sources = [...modules]
  .filter((id) => statSync(join(NODE_TREE, 'lib', `${id}.js`)).size <= LONGEST_HASHED)
  .map((id) => mangle(['node', 'builtins'], `${variableOf(id)}_raw`));
await writeFile(SYMBOLS, `${[...functions, ...caches, ...sources].join('\n')}\n`);

/** As tools/js2c.cc and src/node_snapshotable.cc call a module's data. */
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
    if (name !== undefined && !NOT_MOVABLE.test(name)) functions.add(name);
  }
}

async function runServer(node: readonly string[]): Promise<void> {
  const { file } = await bundle();
  const server = $({
    env: { ...process.env, NODE_DEBUG_NATIVE: 'CODE_CACHE' },
  })`${node} ${file} -H 127.0.0.1 -p 0 -w 2`.quiet();
  for await (const line of server) {
    const address = /http:\S+/.exec(line)?.[0];
    if (address === undefined) continue;
    await new Promise((resolve) => setTimeout(resolve, TRIMMED_MS));
    for (let count = 0; count < 50; count++) await ask(address, count);
    server.kill('SIGTERM');
  }
  for (const [, id] of (await server).stderr.matchAll(/^Compiling (\S+) with code cache/gm)) if (id) modules.add(id);
}

/** Connections that stay and connections that do not, with content and without. */
async function ask(address: string, count: number): Promise<void> {
  const close = count % 2 === 0 ? { connection: 'close' } : {};
  const response = await fetch(`${address}/${count}`, {
    headers: { ...close, 'x-count': `${count}` },
    ...(count % 5 === 0 ? { method: 'POST', body: 'content' } : {}),
  });
  await response.text();
}
