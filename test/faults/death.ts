/**
 * A worker thread that dies under load. The product has no hook for that, and a thread cannot be killed from outside its
 * process, so the supervisor runs here, from source, with a `Worker` class that lets the proof end threads.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { type Worker } from 'node:worker_threads';
import { VRYPT } from '../../src/app/source.ts';
import { LIMITS } from '../engine/limits.ts';
import { RawClient } from '../engine/raw-client.ts';
import { GET } from './latency.ts';
import { finding, milliseconds, type Proof, quantile, sleep } from './proof.ts';

/** In a row, so that the pause before the last restart is 400 ms. */
const DEATHS = 4;
const CLIENTS = 40;
/** A request that was neither lost nor answered for this long hangs. */
const HANGING_MS = 5000;

interface Busy {
  readonly client: RawClient;
  readonly worker: number;
  answers: number;
  isLost: boolean;
}

export const death: Proof = {
  title: `a worker thread of two is ended under load, ${DEATHS} times (supervisor from source)`,
  async run() {
    const threads = captureThreads();
    const { startSupervisor } = await import('../../src/workers/supervisor.ts');
    const options = {
      endpoint: { kind: 'tcp', address: '127.0.0.1', port: 0 },
      workers: 2,
      sharesPort: false,
      transport: 'handle',
      limits: LIMITS,
    } as const;
    const supervisor = await startSupervisor({ app: VRYPT, ...options });
    const back: number[] = [];
    let lost = 0;
    let lostOfOther = 0;
    let hanging = 0;
    try {
      for (let i = 0; i < DEATHS; i++) {
        const busy = await connectAll(supervisor.port, () => supervisor.requests()[0] ?? 0);
        const isOver = { value: false };
        const loads = busy.map((one) => load(one, isOver));
        await until(() => busy.every(({ answers }) => answers > 20));
        const before = supervisor.requests()[1] ?? 0;
        const start = performance.now();
        await threads.at(-1)?.terminate();
        await servedByOther(supervisor.port, () => (supervisor.requests()[1] ?? 0) !== before);
        back.push(performance.now() - start);
        const atThen = busy.map(({ answers }) => answers);
        const isHanging = (one: Busy, n: number) => !one.isLost && one.answers <= (atThen[n] as number) + 20;
        await Promise.race([until(() => !busy.some(isHanging)), sleep(HANGING_MS)]);
        isOver.value = true;
        hanging += busy.filter(isHanging).length;
        await Promise.all(loads.filter((_, n) => !isHanging(busy[n] as Busy, n)));
        lost += busy.filter(({ worker, isLost }) => worker === 1 && isLost).length;
        lostOfOther += busy.filter(({ worker, isLost }) => worker === 0 && isLost).length;
        for (const { client } of busy) client.close();
      }
      const slowest = quantile(back, 1);
      return [
        finding(
          'time until the worker serves again (median, slowest)',
          `${milliseconds(quantile(back, 0.5))}, ${milliseconds(slowest)}`,
          '≤ 1000 ms',
          slowest <= 1000,
        ),
        finding(
          'connections lost: of the dead worker, of the other one',
          `${lost}, ${lostOfOther} (${hanging} left hanging)`,
          'none of the other worker, none left hanging',
          lostOfOther === 0 && hanging === 0,
        ),
      ];
    } finally {
      await supervisor.drain(0);
    }
  },
};

function captureThreads(): Worker[] {
  const threads: Worker[] = [];
  workerThreads.Worker = class extends workerThreads.Worker {
    constructor(...parameters: ConstructorParameters<typeof Worker>) {
      super(...parameters);
      threads.push(this);
    }
  };
  syncBuiltinESMExports();
  return threads;
}

async function connectAll(port: number, requestsOfFirst: () => number): Promise<Busy[]> {
  const all: Busy[] = [];
  while (all.length < CLIENTS) {
    const client = await RawClient.connect(port);
    const before = requestsOfFirst();
    await client.send(GET).response();
    all.push({ client, worker: requestsOfFirst() === before ? 1 : 0, answers: 0, isLost: false });
  }
  return all;
}

async function load(one: Busy, isOver: { readonly value: boolean }): Promise<void> {
  try {
    while (!isOver.value) {
      await one.client.send(GET).response();
      one.answers++;
    }
  } catch {
    one.isLost = true;
  }
}

/** Opens connections until one reaches the other worker; each is answered by the worker that accepted it. */
async function servedByOther(port: number, isServed: () => boolean): Promise<void> {
  while (!isServed()) {
    try {
      const client = await RawClient.connect(port);
      await client.send(GET).response();
      client.close();
    } catch {
      // It was in the accept queue of the dead worker.
    }
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}
