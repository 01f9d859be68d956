/**
 * Compiles Node with ninja and with the common headers of V8 and Node precompiled.
 * A source of V8 costs 10 to 27 CPU seconds, mostly for parsing headers. With the headers of pch/ precompiled:
 * 16.6 → 5.2 (V8's base), 25.8 → 14.3 (its builtins), 26.9 → 16.4 (its compiler), 9.9 → 3.0 (Node).
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256FileSync } from '../support/hash.ts';
import type { Job } from './job.ts';
import { recipe } from './paths.ts';
import { v8SourceOf } from './platforms.ts';

const V8 = 'obj/tools/v8_gypfiles';

/** A precompiled header and the gyp targets whose C++ sources use it. The first one decides its flags. */
const headers: Record<string, readonly string[]> = {
  v8base: [`${V8}/v8_base_without_compiler.ninja`],
  v8init: [`${V8}/v8_initializers.ninja`, `${V8}/v8_initializers_slow.ninja`],
  v8comp: [`${V8}/v8_compiler.ninja`],
  nodebase: ['obj/node_base.ninja'],
};

/** Everything besides the code that decides the bytes of this step's result. */
export function compileInputs(): readonly string[] {
  return Object.keys(headers).map((name) => sha256FileSync(headerOf(name)));
}

/** Sources that do not compile with the precompiled header (an ambiguous name). */
const sourcesWithoutHeader = ['deps/v8/src/objects/js-temporal-objects.cc'];

export async function compileNode(job: Job): Promise<void> {
  const { places, run, jobs } = job;
  // The headers that torque and the bytecode generator write must exist before anything can be precompiled.
  const generated = ['v8_base_without_compiler', 'v8_compiler', 'v8_initializers_slow'].map(
    (target) => `${V8}/${target}.compile_depends.stamp`,
  );
  await run`ninja -C ${places.out} -j${jobs} ${generated} ${V8}/run_torque.actions_rules_copies.stamp`;
  for (const [name, ninjaFiles] of Object.entries(headers)) {
    // The second runtime of an architecture compiles too few of V8's objects for a precompiled header to pay off.
    if (v8SourceOf(job.target) === undefined || name === 'nodebase') await precompile(job, name, ninjaFiles);
  }
  // Ninja does not know what the linker reads besides objects: symbols.txt and exports.map.
  await rm(join(places.out, 'node'), { force: true });
  await run`ninja -C ${places.out} -j${jobs} node`;
}

async function precompile({ places, run }: Job, name: string, ninjaFiles: readonly string[]): Promise<void> {
  const folder = join(places.node, 'pch');
  const header = join(folder, `${name}.pch`);
  const script = join(folder, `${name}.sh`);
  const text = await readFile(join(places.out, ninjaFiles[0] ?? ''), 'utf8');
  const flags = ['defines', 'includes', 'cflags', 'cflags_cc'].map((variable) => variableOf(text, variable)).join(' ');
  // The flags are shell words already, quoted by gyp; a script keeps them from being quoted again.
  const command = `# ${sha256FileSync(headerOf(name))}
target-c++ ${flags} -I${recipe} -x c++-header -fpch-instantiate-templates -Xclang -fno-pch-timestamp -c ${headerOf(name)} -o ${header}\n`;
  if (!existsSync(header) || (await readFile(script, 'utf8')) !== command) {
    await mkdir(folder, { recursive: true });
    await rm(header, { force: true });
    await writeFile(script, command);
    await run`cd ${places.out} && sh ${script}`;
  }
  for (const file of ninjaFiles) {
    const path = join(places.out, file);
    await writeFile(path, withHeader(await readFile(path, 'utf8'), header));
  }
}

function headerOf(name: string): string {
  return join(recipe, 'pch', `${name}.h`);
}

/** gyp has a variable for precompiled headers, empty on Linux; this fills it. */
export function withHeader(ninja: string, header: string): string {
  const plain = ninja.replace(/^cflags_pch_cc =.*\n/gm, '').replace(/\n {2}cflags_pch_cc =.*/g, '');
  const filled = plain.replace('cflags_cc =', `cflags_pch_cc = -include-pch ${header}\ncflags_cc =`);
  // A statement ends at the first line that does not end in `$`.
  return filled.replace(/^build (?:[^\n]*\$\n)*[^\n]*$/gm, (statement) =>
    sourcesWithoutHeader.some((source) => (statement.split('||')[0] ?? '').includes(source))
      ? `${statement}\n  cflags_pch_cc =`
      : statement,
  );
}

function variableOf(ninja: string, variable: string): string {
  const match = new RegExp(`^${variable} =((?:.*\\$\\n)*.*)`, 'm').exec(ninja);
  return match?.[1]?.replaceAll('$\n', ' ').replaceAll('$:', ':') ?? '';
}
