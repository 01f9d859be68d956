/** A worker process' entry: serves what its manager tells it to, until that says drain or ends itself. */
import { writeFileSync } from 'node:fs';
import { type OpenRelay, openProcessRelay } from '../app/worker-place.ts';
import { createCounters, cutOffOf, requestsOf, type SharedCounters } from '../engine/counters.ts';
import { openTransport } from '../engine/transport.ts';
import { openParent, type Parent } from '../processes/parent.ts';
import type { FromProcess, ServeOptions, ToProcess } from './messages.ts';
import { reportError } from './report.ts';
import { serve } from './serve.ts';
import type { WorkerEngine } from './worker-engine.ts';
import { workerName } from './worker-name.ts';

export function runWorkerProcess(): void {
  const parent = openParent<ToProcess, FromProcess>();
  if (parent === null) return;
  // Node opens a debugger at SIGUSR1 unless it is handled.
  process.on('SIGUSR1', () => {});
  let worker: WorkerProcess | null = null;
  parent.onMessage(async (message) => {
    switch (message.type) {
      case 'serve':
        worker = await WorkerProcess.start(parent, message.options, message.worker);
        if (message.isAnnounced) worker?.announceDrain();
        break;
      case 'announceDrain':
        worker?.announceDrain();
        break;
      case 'drain':
        await worker?.drain(message.timeoutMs);
    }
  });
}

type ManagerChannel = Parent<ToProcess, FromProcess>;

class WorkerProcess {
  readonly #parent: ManagerChannel;
  readonly #engine: WorkerEngine;
  readonly #counters: SharedCounters;
  readonly #worker: number;
  /** What the manager knows. */
  #told = '';
  /** When it was asked to end. */
  #requestsBefore: number | null = null;

  private constructor(parent: ManagerChannel, engine: WorkerEngine, counters: SharedCounters, worker: number) {
    this.#parent = parent;
    this.#engine = engine;
    this.#counters = counters;
    this.#worker = worker;
    engine.everyTick(() => this.#tellCounts());
  }

  /** null if it cannot listen, which the manager is told. */
  static async start(parent: ManagerChannel, options: ServeOptions, worker: number): Promise<WorkerProcess | null> {
    nameWorker(worker);
    const counters = createCounters(worker + 1);
    try {
      const openRelay: OpenRelay = (onNews) => openProcessRelay(parent, onNews);
      const { engine } = await serve(await openTransport(options.transport), options, counters, worker, openRelay);
      // A bug of ours outside every request: its connections are lost, the server goes on.
      process.on('uncaughtException', (error) => {
        reportError(worker, error);
        engine.closeConnections();
      });
      parent.tell({ type: 'listening' });
      return new WorkerProcess(parent, engine, counters, worker);
    } catch (error) {
      const { code = 'ERROR', message } = error as NodeJS.ErrnoException;
      parent.tell({ type: 'failed', code, message });
      return null;
    }
  }

  announceDrain(): void {
    this.#requestsBefore ??= this.#requests();
    this.#engine.announceDrain();
  }

  async drain(timeoutMs: number): Promise<void> {
    const before = this.#requestsBefore ?? this.#requests();
    const connections = this.#engine.connectionCount;
    const cutOffBefore = cutOffOf(this.#counters, this.#worker);
    await this.#engine.drain(timeoutMs);
    const cutOff = cutOffOf(this.#counters, this.#worker) - cutOffBefore;
    const requests = (this.#requests() - before) >>> 0;
    this.#parent.tell({ type: 'drained', connections, requests, cutOff });
    this.#parent.tell({ type: 'ended' });
  }

  #requests(): number {
    return requestsOf(this.#counters, this.#worker);
  }

  #tellCounts(): void {
    const connections = this.#engine.connectionCount;
    const requests = this.#requests();
    const news = `${connections} ${requests}`;
    if (news === this.#told) return;
    this.#told = news;
    this.#parent.tell({ type: 'counts', connections, requests });
  }
}

function nameWorker(worker: number): void {
  try {
    writeFileSync('/proc/self/comm', workerName(worker));
  } catch {
    // Without /proc nobody can see it.
  }
}
