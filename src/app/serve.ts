/** `serve(app)`: a server on sockets, in one worker or several. */
import type { App, Options, Server } from './app.ts';
import { checkedApp } from './check-app.ts';
import { ProcessServer } from './process-server.ts';
import { AppServer } from './server.ts';
import { resolveOptions } from './settings.ts';
import { firstPlace, type Joining, joiningOf } from './worker-place.ts';

/** Calls of `serve()` so far in this thread: the same module makes the same calls in every worker. */
let calls = 0;

/**
 * Starts a server; wait for its `ready`. Throws a TypeError or RangeError that names the option for what is not valid.
 *
 *     const server = serve({ port: 3000, fetch: (request) => new Response('Hello') });
 *
 * With several workers, `entry` is loaded in each further one, and the same call joins in there; other calls in it start nothing.
 */
export function serve<S>(given: App<S> & Options): Server<S> {
  const app = checkedApp(given);
  const settings = resolveOptions(app);
  const call = calls++;
  const joining = joiningOf();
  if (joining !== null) return join(app, joining, call);
  if (settings.isolation === 'process') return new ProcessServer<S>(app, settings, call);
  const { relayName, ...place } = firstPlace(settings.workers);
  if (settings.workers === 1) return new AppServer<S>(app, settings, { place, startCrew: null });
  const { entry } = settings;
  return new AppServer<S>(app, settings, {
    place,
    startCrew: async (endpoints, tls) => {
      // Loaded only if there is one.
      const { startCrew } = await import('./crew.ts');
      const { count, counters } = place;
      return startCrew({ entry, count, counters, relayName, tls, call, endpoints });
    },
  });
}

/** In a thread or process that a server has started. */
function join<S>(app: App<S> & Options, joining: Joining, call: number): Server<S> {
  const { endpoints, place, isProcess } = joining;
  // Signals are the first worker's or the manager's, who tells the others.
  const settings = { ...resolveOptions(app), signal: null, handlesSignals: false };
  const isInert = call !== joining.call;
  const server = new AppServer<S>(app, settings, { place, startCrew: null, given: endpoints, isInert });
  if (isInert) return server;
  server.ready.then(
    () => {
      joining.tell({ type: 'listening' });
      if (isProcess) server.engine.everyTick(() => tellCounts(joining, server));
    },
    ({ code, message }: NodeJS.ErrnoException) => joining.tell({ type: 'failed', code, message }),
  );
  joining.onMessage(async (message) => {
    if (message.type !== 'end') return;
    await server.stop({ graceMs: message.graceMs });
    // Where a thread is ended from outside, a process ends itself, and what it has printed is not lost.
    if (isProcess) process.disconnect?.();
    else joining.tell({ type: 'ended' });
  });
  return server;
}

function tellCounts<S>(joining: Joining, { pendingRequests, pendingWebSockets }: Server<S>): void {
  joining.tell({ type: 'counts', requests: pendingRequests, webSockets: pendingWebSockets });
}
