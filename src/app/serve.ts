/** `serve(app)`: a server on sockets, in one worker or several. */
import type { App, Options, Server } from './app.ts';
import { AppServer } from './server.ts';
import { resolveOptions } from './settings.ts';
import { type FromThread, firstPlace, type Joining, joiningOf, type ToThread } from './worker-place.ts';

/** Calls of `serve()` so far in this thread: the same module makes the same calls in every worker. */
let calls = 0;

/**
 * Starts a server; wait for its `ready`. Throws a TypeError or RangeError that names the option for what is not valid.
 *
 *     const server = serve({ port: 3000, fetch: (request) => new Response('Hello') });
 *
 * With several workers, `entry` is loaded in each further one, and the same call joins in there; other calls in it start nothing.
 */
export function serve<S>(app: App<S> & Options): Server<S> {
  const settings = resolveOptions(app);
  const call = calls++;
  const joining = joiningOf();
  if (joining !== null) return join(app, joining, call);
  const place = firstPlace(settings.workers);
  if (settings.workers === 1) return new AppServer<S>(app, settings, { place, startCrew: null });
  const { entry } = settings;
  return new AppServer<S>(app, settings, {
    place,
    startCrew: async (port, tls) => {
      // Loaded only if there is one.
      const { startCrew } = await import('./crew.ts');
      return startCrew({ entry, place: { ...place, tls }, call, port });
    },
  });
}

/** In a thread that a server has started. */
function join<S>(app: App<S> & Options, { call: joiningCall, place, port, control }: Joining, call: number): Server<S> {
  // Signals are worker 0's, which tells the others.
  const settings = { ...resolveOptions(app), port, signal: null, handlesSignals: false };
  const isInert = call !== joiningCall;
  const server = new AppServer<S>(app, settings, { place, startCrew: null, isInert });
  if (isInert) return server;
  const tell = (message: FromThread) => control.postMessage(message);
  server.ready.then(
    () => tell({ type: 'listening' }),
    ({ code, message }: NodeJS.ErrnoException) => tell({ type: 'failed', code, message }),
  );
  control.on('message', async ({ graceMs }: ToThread) => {
    await server.stop({ graceMs });
    tell({ type: 'ended' });
  });
  return server;
}
