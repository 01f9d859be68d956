/** One of a program's two workers dies under load, as a thread and as a process. */
import { RawClient } from '../engine/raw-client.ts';
import { request, withProgram } from './program-process.ts';
import { type Finding, finding, milliseconds, type Proof, sleep } from './proof.ts';

const CLIENTS = 40;
const LOADED_MS = 500;
const BACK_MS = 30_000;

export const crashes: Proof = {
  title: `one of two workers of a program dies under the load of ${CLIENTS} clients, as a thread and as a process`,
  async run() {
    const findings: Finding[] = [];
    for (const isolation of ['thread', 'process']) {
      findings.push(
        ...(await withProgram(['2', isolation], false, ({ port }, startMs) => crash(port, isolation, startMs))),
      );
    }
    return findings;
  },
};

interface Busy {
  readonly client: RawClient;
  worker: string;
  answers: number;
  isLost: boolean;
}

async function crash(port: number, isolation: string, startMs: number): Promise<Finding[]> {
  const isOver = { value: false };
  const busy: Busy[] = [];
  for (let n = 0; n < CLIENTS; n++) {
    const client = await RawClient.connect(port);
    busy.push({ client, worker: await workerOf(client), answers: 0, isLost: false });
  }
  const loads = busy.map((one) => load(one, isOver));
  await sleep(LOADED_MS);
  // A thread that ends the process ends only itself, except the first, which is the process.
  const victim = await connectTo(port, '1');
  victim.send(request('/die'));
  await victim.end();
  const begin = performance.now();
  await Promise.race([connectTo(port, '1').then((client) => client.close()), sleep(BACK_MS)]);
  const took = performance.now() - begin;
  const atThen = busy.map(({ answers }) => answers);
  await sleep(LOADED_MS);
  const hanging = busy.filter(({ isLost, answers }, n) => !isLost && answers === atThen[n]).length;
  isOver.value = true;
  await Promise.all(loads);
  for (const { client } of busy) client.close();
  const lostOf = (worker: string) => busy.filter((one) => one.isLost && one.worker === worker).length;
  return [
    finding(
      `${isolation}: until the worker serves again`,
      milliseconds(took),
      `≤ the program's start, ${milliseconds(startMs)}, and a second`,
      took <= startMs + 1000,
    ),
    finding(
      `${isolation}: connections lost, of the dead worker and of the other one`,
      `${lostOf('1')}, ${lostOf('0')} (${hanging} left hanging)`,
      'none of the other one, none left hanging',
      lostOf('0') === 0 && hanging === 0,
    ),
  ];
}

async function workerOf(client: RawClient): Promise<string> {
  const { head } = await client.send(request('/')).response();
  return /^X-Worker: (\d+)/m.exec(head)?.[1] ?? '';
}

/** A connection to that worker; the kernel chooses, so it may take several. */
async function connectTo(port: number, worker: string): Promise<RawClient> {
  for (;;) {
    try {
      const client = await RawClient.connect(port);
      if ((await workerOf(client)) === worker) return client;
      client.close();
    } catch {
      // It was in the accept queue of a worker that has just died.
    }
  }
}

async function load(one: Busy, isOver: { readonly value: boolean }): Promise<void> {
  try {
    while (!isOver.value) {
      await one.client.send(request('/')).response();
      one.answers++;
    }
  } catch {
    one.isLost = true;
  }
}
