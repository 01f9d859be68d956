/** Starts one worker's engine, in whatever thread it is called. */
import { loadApp } from '../app/load-app.ts';
import type { AppSource } from '../app/source.ts';
import type { OpenRelay } from '../app/worker-place.ts';
import type { SharedCounters } from '../engine/counters.ts';
import { Engine } from '../engine/engine.ts';
import type { Listener, Transport } from '../engine/transport.ts';
import { listenAt } from './endpoint.ts';
import type { ServeOptions } from './messages.ts';
import { reportError } from './report.ts';
import type { WorkerApp } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

/** Defined in the code of the plain server (`cli/whole-program.ts`), which serves nothing else. */
declare const IS_PLAIN: true | undefined;

export interface Served {
  readonly engine: WorkerEngine;
  readonly listener: Pick<Listener, 'address' | 'port' | 'share'>;
  /** As it was given, or with what has been decided meanwhile. */
  readonly app: WorkerApp;
}

/** `openRelay`: how WebSockets reach other workers, if these are processes. */
export async function serve(
  transport: Transport,
  options: ServeOptions,
  counters: SharedCounters,
  worker: number,
  openRelay: OpenRelay | null = null,
): Promise<Served> {
  const { app } = options;
  if (typeof IS_PLAIN === 'undefined' && app.kind === 'module') {
    const { serveModule } = await import('./serve-module.ts');
    return serveModule(transport, { ...options, app }, { counters, worker, openRelay });
  }
  if (typeof IS_PLAIN === 'undefined' && app.kind === 'web') {
    const { serveWeb } = await import('./serve-web.ts');
    return serveWeb(transport, { ...options, app }, counters, worker);
  }
  const handler = await loadApp(app as AppSource);
  const report = (error: unknown) => reportError(worker, error);
  const engine = new Engine({ handler, limits: options.limits, transport, counters, worker, report });
  const listener = await listenAt(engine, options.endpoint);
  return { engine, listener, app };
}
