/** Starts one worker's engine, in whatever thread it is called. */
import { Engine, type SharedCounters } from '../engine/engine.ts';
import { openHandleTransport } from '../engine/handle-transport.ts';
import type { Handler } from '../engine/handler.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import type { ServeOptions } from './messages.ts';
import { reportError } from './report.ts';

/** Accept queue length that is asked for. */
const BACKLOG = 4096;

export interface Served {
  readonly engine: Engine;
  readonly listener: Listener;
}

export async function serve(
  options: ServeOptions,
  counters: SharedCounters,
  worker: number,
  handler: Handler,
): Promise<Served> {
  const transport = await openTransport(options.usesNet);
  const report = (error: unknown) => reportError(worker, error);
  const engine = new Engine({ handler, limits: options.limits, transport, counters, worker, report });
  const { address, port } = options;
  const listener = await engine.listen({ address, port, backlog: BACKLOG, reusePort: true });
  return { engine, listener };
}

/** The fast transport where this Node has it. `node:net` is loaded only when it is needed: it costs start-up time. */
export async function openTransport(usesNet: boolean): Promise<Transport> {
  const fast = usesNet ? null : openHandleTransport();
  if (fast !== null) return fast;
  const { openNetTransport } = await import('../engine/net-transport.ts');
  return openNetTransport();
}
