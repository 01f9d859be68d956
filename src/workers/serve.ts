/** Starts one worker's engine, in whatever thread it is called. */
import { loadApp } from '../app/load-app.ts';
import type { SharedCounters } from '../engine/counters.ts';
import { Engine } from '../engine/engine.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import { listenOptions } from './endpoint.ts';
import type { ServeOptions } from './messages.ts';
import { reportError } from './report.ts';
import type { WorkerApp } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

export interface Served {
  readonly engine: WorkerEngine;
  readonly listener: Listener;
  /** As it was given, or with what has been decided meanwhile. */
  readonly app: WorkerApp;
}

export async function serve(
  transport: Transport,
  options: ServeOptions,
  counters: SharedCounters,
  worker: number,
): Promise<Served> {
  const { app } = options;
  if (app.kind === 'web') {
    const { serveWeb } = await import('./serve-web.ts');
    return serveWeb(transport, { ...options, app }, counters, worker);
  }
  const handler = await loadApp(app);
  const report = (error: unknown) => reportError(worker, error);
  const engine = new Engine({ handler, limits: options.limits, transport, counters, worker, report });
  const listener = await engine.listen(listenOptions(options.endpoint));
  return { engine, listener, app };
}
