/**
 * A person's session with a server: one process that most checks ask, and processes of their own for the rest. Every check
 * has a deadline, whatever it waits for. Owns the server from start to end.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SmokeSession } from '../program/program.ts';
import { explain, Failure } from '../support/errors.ts';
import type { Check, Checks } from './checks.ts';
import { freePort, type Launch, Server, startOf } from './server.ts';
import type { Traps } from './traps.ts';

/** What is tried: how it is started, and what is set to harm it. */
export interface Tried extends Launch {
  readonly timeoutMs: number;
  readonly isEmulated: boolean;
  readonly traps: Traps;
}

/** What it was made from. */
export interface BuildFacts {
  readonly version: string;
  readonly commit: string;
  /** The triple. */
  readonly target: string;
  /** SHA-256 of its Node. */
  readonly runtime: string;
  /** The version of its Node. */
  readonly node: string;
}

export interface Session {
  readonly product: Tried;
  readonly build: BuildFacts;
  readonly server: Server;
  /** The line that said that it is ready; empty if nobody knows such a line. */
  readonly line: string;
}

/** Every broken promise as a sentence, and how long the server took until it was ready. */
export async function trySession(
  product: Tried,
  build: BuildFacts,
  checks: Checks,
  smoke: Pick<SmokeSession, 'args' | 'env' | 'ready' | 'writesNothing'>,
): Promise<{ faults: string[]; readyMs: number }> {
  const before = await filesIn(product.cwd);
  const port = await freePort();
  const { args, env } = startOf(smoke, port);
  const server = new Server(product, port, args, env);
  const faults: string[] = [];
  const start = performance.now();
  let readyMs = 0;
  try {
    const session: Session = { product, build, server, line: await server.ready(smoke.ready) };
    readyMs = performance.now() - start;
    const attempt = async (check: Check): Promise<void> => {
      const fault = await faultOf(check, session);
      if (fault !== undefined) faults.push(`${check.sentence}: ${fault}`);
    };
    for (const check of checks.asked) {
      await attempt(check);
      // Each further check would only wait as long.
      if (faults.filter((fault) => fault.includes(deadlineMissed)).length >= 2)
        return { faults: [...faults, 'the other checks were not tried'], readyMs };
    }
    const waiting = [...checks.alone];
    const lane = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await attempt(next);
    };
    await Promise.all([lane(), lane(), lane()]);
    for (const check of checks.last) await attempt(check);
  } catch (error) {
    faults.push(`${smoke.ready === undefined ? 'listens' : 'prints a line when it listens'}: ${reason(error)}`);
  } finally {
    server.signal('SIGKILL');
    await server.end();
  }
  if (smoke.writesNothing !== true) return { faults, readyMs };
  const written = changes(before, await filesIn(product.cwd));
  if (written.length > 0) faults.push(`writes no files: it must leave its folder as it was, got ${written.join(', ')}`);
  return { faults, readyMs };
}

const deadlineMissed = 'within';

async function faultOf({ run }: Check, session: Session): Promise<string | undefined> {
  // A check waits at most for a start, an answer and an end.
  const limit = 3 * session.product.timeoutMs;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it must be done within ${limit} ms, it was not`), limit);
  });
  try {
    return await Promise.race([run(session).then(() => undefined, reason), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One line: of an assertion, what was expected and what was there. */
function reason(error: unknown): string {
  const [first = '', ...rest] = explain(error).split('\n');
  if (error instanceof Failure) return first;
  return [first, ...rest.filter((line) => /^\s*[+-]/.test(line))].join(' ').slice(0, 600);
}

/** Name, size and time of everything that `folder` holds; the traps look after themselves. */
async function filesIn(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file);
    if (name.startsWith('traps') || entry.isDirectory()) continue;
    const { size, mtimeMs } = await stat(file).catch(() => ({ size: 0, mtimeMs: 0 }));
    files.set(name, `${size} ${mtimeMs}`);
  }
  return files;
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.filter((name) => before.get(name) !== after.get(name)).sort();
}
