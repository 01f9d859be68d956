/**
 * A program of which nobody says how it is tried: it is started, with a port in PORT. If it listens, it must answer
 * GET / with a status below 500; if it neither listens nor ends, it must stay alive for a while; if it ends by itself, its exit
 * code must be 0. A program has one kind: what is known to be a server must listen on every target.
 */
import type { SmokeSession } from '../program/program.ts';
import { Failure } from '../support/errors.ts';
import { send } from './ask.ts';
import { freePort, Server } from './server.ts';
import type { Tried } from './session.ts';
import { complaint, shown } from './shown.ts';

export type Kind = 'server' | 'ends by itself' | 'keeps running';

export interface Found {
  readonly kind: Kind;
  readonly faults: readonly string[];
  /** From its start to its first answer, to its end, or to now. */
  readonly ms: number;
}

/** `mustListen`: it was found to be a server on another target. */
export async function tryUndescribed(product: Tried, mustListen = false): Promise<Found> {
  const port = await freePort();
  const start = performance.now();
  const server = new Server(product, port, [], { PORT: String(port) });
  const faults: string[] = [];
  let kind: Kind = 'keeps running';
  let ms = 0;
  try {
    const patienceMs = patienceWith(product, mustListen);
    const listens = await listeningPort(server, patienceMs);
    if (listens === undefined && mustListen) {
      const how = server.hasEnded ? 'ended' : `did not within ${patienceMs} ms`;
      faults.push(`listens: it does on another target, here it ${how}: ${shown(complaint(server.stderr))}`);
    }
    if (listens !== undefined) {
      kind = 'server';
      const { status } = await send(listens, {}, product.timeoutMs);
      if (status >= 500) faults.push(`answers GET /: the status must be below 500, got ${status}`);
    }
    ms = performance.now() - start;
    if (server.hasEnded) {
      kind = 'ends by itself';
      const { code, stdout, stderr } = await server.end();
      if (code !== 0)
        faults.push(`ends by itself: the exit code must be 0, got ${code}, with ${shown(complaint(stderr) || stdout)}`);
    } else {
      server.signal('SIGTERM');
      const { code, stderr } = await server.mustEnd('after SIGTERM');
      if (code !== 0 && server.signalOfEnd !== 'SIGTERM')
        faults.push(
          `ends at SIGTERM: the exit code must be 0 or SIGTERM, got ${code}, with ${shown(complaint(stderr))}`,
        );
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    faults.push(error.message);
  } finally {
    server.signal('SIGKILL');
    await server.end();
  }
  return {
    kind,
    faults: faults.map((fault) => `${fault} (the field smoke of the description says how it is tried)`),
    ms,
  };
}

/** An emulated start of a large program takes a minute where several start at once; one that never listens costs all of it. */
function patienceWith({ isEmulated, timeoutMs }: Tried, mustListen: boolean): number {
  if (mustListen) return 3 * timeoutMs;
  return isEmulated ? timeoutMs : timeoutMs / 2;
}

/** A session that measures the start of what was found to be a server. */
export const plainSession: SmokeSession = { args: [], env: { PORT: '{port}' }, ask: [{}], prints: [], stop: 'SIGTERM' };

/** Reading the kernel's tables costs milliseconds, which several programs that start at once do not have. */
const lookEveryMs = 50;

/** Of this very process; undefined if it has ended, or none comes in time. */
async function listeningPort(server: Server, patienceMs: number): Promise<number | undefined> {
  try {
    return await server.until('did not listen', () => server.listeningPorts()[0], lookEveryMs, patienceMs);
  } catch (error) {
    // Of a process that has ended there are no tables either.
    if (error instanceof Failure || server.hasEnded) return undefined;
    throw error;
  }
}
