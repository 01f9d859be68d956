/**
 * Runs all proofs, or those that are named: `npm run faults -- [--server PATH] [NAME [ARGUMENT]]`. Tries the packaged
 * executable if there is one, otherwise the source. Exit code 1 if a bar is not met.
 */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { ROOT, SOURCE } from '../cli/server-process.ts';
import { broadcast } from './broadcast.ts';
import { crashes } from './crashes.ts';
import { database } from './database.ts';
import { death } from './death.ts';
import { disk } from './disk.ts';
import { drain } from './drain.ts';
import { fuzzing } from './fuzzing.ts';
import { handlers } from './handlers.ts';
import { idle } from './idle.ts';
import { limit } from './limit.ts';
import { limits } from './limits.ts';
import { longDrain } from './long-drain.ts';
import type { Finding, Proof } from './proof.ts';
import { proxy } from './proxy.ts';
import { reloads } from './reloads.ts';
import { replacement } from './replacement.ts';
import { security } from './security.ts';
import { slowProxy } from './slow-proxy.ts';
import { slowloris } from './slowloris.ts';
import { storms } from './storms.ts';
import { vanishing } from './vanishing.ts';

const PACKAGED = path.join(ROOT, 'build/package/x86_64-unknown-linux-musl/vrypt-server');

const PROOFS: Readonly<Record<string, Proof>> = {
  idle,
  limit,
  limits,
  slowloris,
  'slow-proxy': slowProxy,
  storms,
  death,
  drain,
  replacement,
  proxy,
  reloads,
  security,
  handlers,
  vanishing,
  broadcast,
  crashes,
  'long-drain': longDrain,
  database,
  disk,
  fuzz: fuzzing,
};

const args = process.argv.slice(2);
const serverAt = args.indexOf('--server');
const chosen = serverAt < 0 ? PACKAGED : path.resolve(args.splice(serverAt, 2)[1] ?? '');
const isPackaged = existsSync(chosen);
const [name, ...rest] = args;
const names = name === undefined ? Object.keys(PROOFS) : [name];

let exitCode = 0;
say(
  isPackaged
    ? `server: ${path.relative(ROOT, chosen)}, made ${statSync(chosen).mtime.toISOString()}`
    : 'server: source',
);
for (const one of names) {
  const proof = PROOFS[one];
  if (proof === undefined) {
    process.stderr.write(`the proof must be one of ${Object.keys(PROOFS).join(', ')}, got "${one}"\n`);
    process.exit(2);
  }
  say(`\n${one}: ${proof.title}`);
  try {
    const command = isPackaged ? [chosen] : SOURCE;
    for (const result of await proof.run({ command, isPackaged, args: rest, say })) tell(one, result);
  } catch (error) {
    tell(one, { what: 'the proof ran to its end', figure: String(error), bar: 'no error', isMet: false });
  }
}
process.exit(exitCode);

function tell(proof: string, { what, figure, bar, isMet }: Finding): void {
  const verdict = bar === '' ? 'note' : isMet ? 'pass' : 'FAIL';
  if (!isMet) exitCode = 1;
  say(`${verdict}  ${proof.padEnd(11)} ${what}: ${figure}${bar === '' ? '' : ` (bar: ${bar})`}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
