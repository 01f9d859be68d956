/** Starts one worker's engine, in whatever thread it is called. */
import { loadApp } from '../app/load-app.ts';
import type { SharedCounters } from '../engine/counters.ts';
import { Engine } from '../engine/engine.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import { listenOptions } from './endpoint.ts';
import type { ServeOptions } from './messages.ts';
import { reportError } from './report.ts';

export interface Served {
  readonly engine: Engine;
  readonly listener: Listener;
}

export async function serve(
  transport: Transport,
  options: ServeOptions,
  counters: SharedCounters,
  worker: number,
): Promise<Served> {
  const handler = await loadApp(options.app);
  const report = (error: unknown) => reportError(worker, error);
  const engine = new Engine({ handler, limits: options.limits, transport, counters, worker, report });
  const listener = await engine.listen(listenOptions(options.endpoint));
  return { engine, listener };
}
