/** Serves a program from disk in one worker: `export default` an app, as `serve()` of the library takes it. Loads it, once. */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { App, Options } from '../app/app.ts';
import { checkedApp, optionsIn } from '../app/check-app.ts';
import type { Endpoint as AppEndpoint } from '../app/listeners.ts';
import { AppServer } from '../app/server.ts';
import { resolveOptions } from '../app/settings.ts';
import type { OpenRelay } from '../app/worker-place.ts';
import type { SharedCounters } from '../engine/counters.ts';
import type { Transport } from '../engine/transport.ts';
import * as library from '../index.ts';
import { openThreadRelay } from '../websocket/thread-relay.ts';
import { loadProgram } from './load-program.ts';
import type { ServeOptions } from './messages.ts';
import { reportText } from './report.ts';
import type { Served } from './serve.ts';
import type { ModuleSource } from './worker-app.ts';
import type { WorkerEngine } from './worker-engine.ts';

interface Place {
  readonly counters: SharedCounters;
  readonly worker: number;
  /** null: workers are threads. */
  readonly openRelay: OpenRelay | null;
}

const LIBRARY = 'vrypt-server';
/** Where the module that stands for the library finds it. */
const LIBRARY_KEY = Symbol.for('vrypt-server.library');

export async function serveModule(
  transport: Transport,
  { app: source, endpoint, limits }: ServeOptions & { readonly app: ModuleSource },
  { counters, worker, openRelay }: Place,
): Promise<Served> {
  const app = await loadModule(source.url);
  if (worker === 0) sayWhatIsIgnored(app, source.url);
  const given: readonly AppEndpoint[] =
    endpoint.kind === 'descriptors'
      ? endpoint.descriptors.map((descriptor) => ({ kind: 'descriptor', descriptor }))
      : [endpoint];
  const listen = given.map((one) => (one.kind === 'descriptor' ? one : { port: 0 }));
  const defaults = resolveOptions({ listen, trustProxy: app.trustProxy ?? false });
  const settings = {
    ...defaults,
    // The command line has no such limit: the plain server drops all content.
    limits: { ...limits, maxDropped: defaults.limits.maxDropped },
    drainMs: source.drainMs,
  };
  const { workers: count, relayName } = source;
  const relay: OpenRelay = openRelay ?? ((onNews) => openThreadRelay(relayName, onNews));
  const server = new AppServer(app, settings, {
    place: {
      index: worker,
      count,
      counters,
      slot: worker,
      name: `${worker} ${process.pid}`,
      openRelay: count > 1 ? relay : null,
      tls: null,
    },
    startCrew: null,
    given,
    begin: async () => ({ transport, open: undefined, openHttp2: null, openHttp3: null, tls: null, close: () => {} }),
  });
  await server.ready;
  const { address, port } = server.addresses[0] as (typeof server.addresses)[0];
  const [first] = server.endpoints;
  const share = async () => (first?.kind === 'unix' ? first.ticket : null);
  return { engine: new ModuleEngine(server), listener: { address, port, share }, app: source };
}

/** Its end is the server's: the app's `stop` is called. */
class ModuleEngine implements WorkerEngine {
  readonly #server: AppServer<unknown>;

  constructor(server: AppServer<unknown>) {
    this.#server = server;
  }

  get connectionCount(): number {
    return this.#server.engine.connectionCount;
  }

  get isDraining(): boolean {
    return this.#server.engine.isDraining;
  }

  everyTick(listener: (now: number) => void): void {
    this.#server.engine.everyTick(listener);
  }

  announceDrain(): void {
    this.#server.engine.announceDrain();
  }

  drain(timeoutMs: number): Promise<void> {
    return this.#server.stop({ graceMs: timeoutMs });
  }

  closeConnections(): void {
    this.#server.engine.closeConnections();
  }

  close(): void {
    void this.#server.stop(true);
  }
}

async function loadModule(url: string): Promise<App & Options> {
  provideLibrary();
  const app = await loadProgram(url);
  const file = fileURLToPath(url);
  const isApp = typeof app === 'object' && app !== null && ['fetch', 'handle', 'routes'].some((name) => name in app);
  if (!isApp) throw new Error(`the default export of ${file} must be an object with fetch, handle or routes`);
  try {
    return checkedApp(app as App);
  } catch (error) {
    throw new Error(`the default export of ${file}: ${(error as Error).message}`);
  }
}

/** Said once: options in a program that the command line has, or that `run` is not for. */
function sayWhatIsIgnored(app: App & Options, url: string): void {
  const { trustProxy: _, ...others } = optionsIn(app);
  const names = Object.keys(others);
  if (names.length === 0) return;
  const file = fileURLToPath(url);
  reportText(`run takes options from the command line alone, and not from ${file}: ${names.join(', ')}`);
}

/**
 * What the program imports from 'vrypt-server' is the library that serves it, wherever the program lies: in the executable there is no
 * other, and answers of another copy would not be known as such.
 */
function provideLibrary(): void {
  const shared = globalThis as { [LIBRARY_KEY]?: typeof library };
  if (shared[LIBRARY_KEY] !== undefined || registerHooks === undefined) return;
  shared[LIBRARY_KEY] = library;
  const names = Object.keys(library).join(', ');
  const source = `export const { ${names} } = globalThis[Symbol.for('vrypt-server.library')];`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === LIBRARY ? { url, format: 'module', shortCircuit: true } : next(specifier, context),
  });
}
