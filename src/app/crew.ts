/** The other workers of a server: threads that load the entry module again. Starts, mends, replaces and ends them; owns them. */
import { pathToFileURL } from 'node:url';
import { MessageChannel, Worker } from 'node:worker_threads';
import { forgetWorker, type SharedCounters } from '../engine/counters.ts';
import { Mended, type Running, type RunningEvents } from '../processes/mended.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import { reportError } from '../workers/report.ts';
import type { Endpoint } from './listeners.ts';
import type { FromWorker, JoiningThread, ToWorker } from './worker-place.ts';

/** Beyond the grace: for the app's `stop`. */
export const END_MARGIN_MS = 1000;

export interface Crew {
  /** One after the other, by new ones that load the entry module as it is now. */
  replace(graceMs: number): Promise<void>;
  end(graceMs: number): Promise<void>;
}

export interface CrewOptions {
  /** Null: the main module. */
  readonly entry: string | URL | null;
  /** Of all workers; the first is the caller. */
  readonly count: number;
  readonly counters: SharedCounters;
  readonly relayName: string;
  readonly tls: SharedTls | null;
  readonly call: number;
  readonly endpoints: readonly Endpoint[];
}

/** Resolves when all of them listen. */
export async function startCrew(options: CrewOptions): Promise<Crew> {
  const entry = entryUrl(options.entry);
  const { count } = options;
  const mates = Array.from({ length: count - 1 }, (_, at) => new Mate(entry, at + 1, options).mended);
  const end = async (graceMs: number) => {
    await Promise.all(mates.map((mate) => mate.end(endMessage(graceMs), graceMs + END_MARGIN_MS)));
  };
  try {
    await Promise.all(mates.map((mate) => mate.start()));
  } catch (error) {
    await end(0);
    throw error;
  }
  return {
    end,
    replace: async (graceMs) => {
      for (const mate of mates) await mate.replace(endMessage(graceMs), graceMs + END_MARGIN_MS);
    },
  };
}

export function endMessage(graceMs: number): ToWorker {
  return { type: 'end', graceMs };
}

/** Throws a TypeError if there is none. */
export function entryUrl(entry: string | URL | null): URL {
  if (entry instanceof URL) return entry;
  if (entry !== null) return /^(file|data):/.test(entry) ? new URL(entry) : pathToFileURL(entry);
  const main = process.argv[1];
  if (main === undefined) throw new TypeError('entry must be given if there is no main module');
  return pathToFileURL(main);
}

/** One place in the crew. */
class Mate {
  readonly mended: Mended;
  readonly #entry: URL;
  readonly #index: number;
  readonly #options: CrewOptions;
  /** Its places in the counters, which a worker and the one that replaces it use in turn. */
  #isSecondSlot = false;

  constructor(entry: URL, index: number, options: CrewOptions) {
    this.#entry = entry;
    this.#index = index;
    this.#options = options;
    this.mended = new Mended({
      run: (events) => this.#run(events),
      onMessage: () => {},
      neverListened: `worker ${index} ended before it called serve()`,
      report: (error) => reportError(index, error),
    });
  }

  #run(events: RunningEvents): Running {
    const { port1, port2 } = new MessageChannel();
    const { call, count, counters, endpoints, relayName, tls } = this.#options;
    const slot = this.#isSecondSlot ? this.#index + count : this.#index;
    this.#isSecondSlot = !this.#isSecondSlot;
    const place = { index: this.#index, count, counters, slot, relayName, tls };
    const vryptServer: JoiningThread = { call, endpoints, place, control: port2 };
    const worker = new Worker(this.#entry, {
      // The entry module finds the same arguments as in the first worker.
      argv: process.argv.slice(2),
      workerData: { vryptServer },
      transferList: [port2],
    });
    port1.on('message', (message: FromWorker) => events.onMessage(message));
    port1.unref();
    let isReported = false;
    worker.on('error', (error) => {
      isReported = true;
      reportError(this.#index, error);
    });
    worker.on('exit', (code) => {
      port1.close();
      forgetWorker(counters, slot);
      events.onExit(isReported ? null : `the thread ended with exit code ${code}`);
    });
    return {
      tell: (message) => port1.postMessage(message),
      kill: () => void worker.terminate(),
      ref: () => worker.ref(),
      unref: () => worker.unref(),
    };
  }
}
