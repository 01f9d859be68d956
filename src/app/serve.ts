/** `serve(app)`: a server on sockets. */
import type { App, Options, Server } from './app.ts';
import { AppServer } from './server.ts';
import { resolveOptions } from './settings.ts';
import { firstPlace } from './worker-place.ts';

/**
 * Starts a server; wait for its `ready`. Throws a TypeError or RangeError that names the option for what is not valid.
 *
 *     const server = serve({ port: 3000, fetch: (request) => new Response('Hello') });
 */
export function serve<S>(app: App<S> & Options): Server<S> {
  const settings = resolveOptions(app);
  return new AppServer<S>(app, settings, { place: firstPlace(settings.workers), startCrew: null });
}
