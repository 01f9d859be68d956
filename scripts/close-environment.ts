/**
 * Step 3, `close-environment`: environment variables with which a stranger makes Node load foreign code or write
 * files are dead in the product. Owns `build/closed/`.
 *
 * How: Node and OpenSSL ask for them by name, and each name is a NUL-terminated string in the executable. Its first
 * octet becomes NUL, so the program asks for the variable "", which cannot exist (getenv of both libcs returns NULL).
 * Same length, same place, deterministic; it works for every runtime, whatever it was configured with.
 * `smoke` proves it on every target by starting the product with all of them set to something harmful.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { base } from './base.ts';
import { eachTarget } from './command.ts';
import { builtPath } from './derived.ts';
import { once, runStep } from './step.ts';
import type { ReadyTarget } from './targets.ts';

export interface Closed {
  readonly file: string;
  readonly sha256: string;
}

/** Name → what it would do. NODE_EXTRA_CA_CERTS, SSL_CERT_FILE and the like only add trust and stay. */
export const closedVariables = {
  NODE_OPTIONS: 'loads foreign modules, opens a debugger',
  NODE_COMPILE_CACHE: 'loads and writes compiled code',
  NODE_V8_COVERAGE: 'writes files',
  NODE_REDIRECT_WARNINGS: 'writes a file',
  NODE_ICU_DATA: 'loads data files',
  NODE_REPL_EXTERNAL_MODULE: 'loads a foreign module',
  OPENSSL_CONF: 'loads foreign libraries',
  OPENSSL_CONF_INCLUDE: 'loads foreign configuration',
  OPENSSL_ENGINES: 'loads foreign libraries',
  OPENSSL_MODULES: 'loads foreign libraries',
} as const satisfies Record<string, string>;

export function closeEnvironment(target: ReadyTarget): Promise<Closed> {
  return once(`close ${target.triple}`, () => make(target));
}

/** Blanks every C string that is exactly one of `names`; returns how often each was found. */
export function blankNames(executable: Buffer, names: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of names) {
    const places = cStrings(executable, name);
    for (const at of places) executable[at] = 0;
    found[name] = places.length;
  }
  return found;
}

/** Where C strings lie that are exactly `text`: the offset of the first octet of each. */
export function cStrings(executable: Buffer, text: string): number[] {
  const places: number[] = [];
  const whole = Buffer.from(`\0${text}\0`, 'latin1');
  // One octet on and not the whole length: the NUL behind a string is the one before its neighbour.
  for (let at = executable.indexOf(whole); at >= 0; at = executable.indexOf(whole, at + 1)) {
    if (!isScriptString(executable, at + 1, text.length)) places.push(at + 1);
  }
  return places;
}

async function make(target: ReadyTarget): Promise<Closed> {
  const from = await base(target);
  const file = builtPath('closed', target, 'node');
  const { hashes } = await runStep({
    step: 'close-environment',
    target: target.triple,
    inputs: { base: from.sha256 },
    code: [import.meta.filename],
    outputs: [file],
    make: async () => {
      const executable = await readFile(from.file);
      const found = blankNames(executable, Object.keys(closedVariables));
      await writeFile(file, executable);
      await chmod(file, 0o755);
      return { found };
    },
    summary: ({ found }) => `${Object.values(found).filter((count) => count > 0).length} names closed`,
  });
  return { file, sha256: hashes[0] ?? '' };
}

/**
 * V8's snapshot and code cache keep strings too, with their length as a 32-bit number before the first octet, and a
 * hash that would no longer fit: those stay. They are property names of `process.env`, which only reads.
 */
function isScriptString(executable: Buffer, at: number, length: number): boolean {
  return at >= 4 && executable.readUInt32LE(at - 4) === length;
}

if (import.meta.main) await eachTarget('Makes harmful environment variables dead in each runtime.', closeEnvironment);
