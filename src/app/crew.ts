/** The other workers of a server: threads that load the entry module again. Starts, mends and ends them; owns them. */
import { pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { forgetWorker } from '../engine/counters.ts';
import { reportError } from '../workers/report.ts';
import type { Crew } from './server.ts';
import type { FromThread, Joining, ToThread, WorkerPlace } from './worker-place.ts';

/** Before a worker that has died is started again; doubled each time, up to the longest. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** A worker that has lived this long is no longer taken for one that cannot start. */
const HEALTHY_MS = 10_000;
/** Beyond the grace: for the app's `stop`. */
const END_MARGIN_MS = 1000;

export interface CrewOptions {
  /** Null: the main module. */
  readonly entry: string | URL | null;
  readonly place: WorkerPlace;
  readonly call: number;
  readonly port: number;
}

/** Resolves when all of them listen. */
export async function startCrew(options: CrewOptions): Promise<Crew> {
  const entry = entryUrl(options.entry);
  const { count } = options.place;
  const mates = Array.from(
    { length: count - 1 },
    (_, at) => new Mate(entry, { ...options.place, index: at + 1 }, options),
  );
  const end = async (graceMs: number) => {
    await Promise.all(mates.map((mate) => mate.end(graceMs)));
  };
  try {
    await Promise.all(mates.map((mate) => mate.start()));
  } catch (error) {
    await end(0);
    throw error;
  }
  return { end };
}

function entryUrl(entry: string | URL | null): URL {
  if (entry instanceof URL) return entry;
  if (entry !== null) return entry.startsWith('file:') ? new URL(entry) : pathToFileURL(entry);
  const main = process.argv[1];
  if (main === undefined) throw new TypeError('entry must be given if there is no main module');
  return pathToFileURL(main);
}

/** One worker, in one thread after the other. */
class Mate {
  readonly #entry: URL;
  readonly #place: WorkerPlace;
  readonly #options: CrewOptions;
  #worker: Worker | null = null;
  #control: { postMessage(message: ToThread): void } | null = null;
  #isEnding = false;
  #pauseMs = FIRST_PAUSE_MS;
  #restart: NodeJS.Timeout | null = null;
  #whenGone: (() => void) | null = null;

  constructor(entry: URL, place: WorkerPlace, options: CrewOptions) {
    this.#entry = entry;
    this.#place = place;
    this.#options = options;
  }

  /** Resolves when it listens. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { port1, port2 } = new MessageChannel();
      const { call, port } = this.#options;
      const vryptServer: Joining = { call, place: this.#place, port, control: port2 };
      const worker = new Worker(this.#entry, { workerData: { vryptServer }, transferList: [port2] });
      const startedAt = performance.now();
      this.#worker = worker;
      this.#control = port1;
      port1.on('message', (message: FromThread) => {
        switch (message.type) {
          case 'listening':
            resolve();
            break;
          case 'failed':
            reject(Object.assign(new Error(message.message), message.code === undefined ? {} : { code: message.code }));
            break;
          case 'ended':
            void worker.terminate();
        }
      });
      port1.unref();
      worker.on('error', (error) => reportError(this.#place.index, error));
      worker.on('exit', () => {
        port1.close();
        this.#worker = null;
        forgetWorker(this.#place.counters, this.#place.index);
        reject(new Error(`worker ${this.#place.index} ended before it called serve()`));
        this.#whenGone?.();
        if (!this.#isEnding) this.#startLater(performance.now() - startedAt);
      });
    });
  }

  async end(graceMs: number): Promise<void> {
    this.#isEnding = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const worker = this.#worker;
    if (worker === null) return;
    const gone = new Promise<void>((resolve) => {
      this.#whenGone = resolve;
    });
    const message: ToThread = { type: 'end', graceMs };
    this.#control?.postMessage(message);
    const deadline = setTimeout(() => void worker.terminate(), graceMs + END_MARGIN_MS);
    await gone;
    clearTimeout(deadline);
  }

  #startLater(livedMs: number): void {
    if (livedMs > HEALTHY_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.start().catch((error) => reportError(this.#place.index, error));
    }, this.#pauseMs);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
  }
}
