/** Numbers that all workers of a server share: how many connections there are, and what each worker does and has answered. */
export type SharedCounters = Int32Array<SharedArrayBuffer>;

/** Layout: the connections of all workers, then a cache line per worker. */
const ALL_CONNECTIONS = 0;
const WORKER_STRIDE = 16;
const CONNECTIONS = 0;
const ANSWERS = 1;
const REQUESTS = 2;
const WEB_SOCKETS = 3;
const CUT_OFF = 4;

export function createCounters(workers: number): SharedCounters {
  return new Int32Array(new SharedArrayBuffer(4 * WORKER_STRIDE * (1 + workers)));
}

/** Connections that are open now, of all workers. */
export function connectionsOf(counters: SharedCounters): number {
  return Atomics.load(counters, ALL_CONNECTIONS);
}

/** Of one worker. */
export function connectionsOfWorker(counters: SharedCounters, worker: number): number {
  return Atomics.load(counters, placeOf(worker) + CONNECTIONS);
}

/** Connections of one worker that drains have cut off so far. */
export function cutOffOf(counters: SharedCounters, worker: number): number {
  return Atomics.load(counters, placeOf(worker) + CUT_OFF);
}

/** Requests that a worker has answered, modulo 2^32. */
export function requestsOf(counters: SharedCounters, worker: number): number {
  return (counters[placeOf(worker) + ANSWERS] as number) >>> 0;
}

/** Requests under way in all workers. */
export function pendingRequestsOf(counters: SharedCounters): number {
  return sumOf(counters, REQUESTS);
}

/** WebSockets in all workers. */
export function webSocketsOf(counters: SharedCounters): number {
  return sumOf(counters, WEB_SOCKETS);
}

function sumOf(counters: SharedCounters, field: number): number {
  let sum = 0;
  for (let place = WORKER_STRIDE; place < counters.length; place += WORKER_STRIDE)
    sum += counters[place + field] as number;
  return sum;
}

export function setWebSockets(counters: SharedCounters, worker: number, count: number): void {
  counters[placeOf(worker) + WEB_SOCKETS] = count;
}

/** Subtracts the connections of a worker that has died. */
export function forgetWorker(counters: SharedCounters, worker: number): void {
  counters[placeOf(worker) + REQUESTS] = 0;
  counters[placeOf(worker) + WEB_SOCKETS] = 0;
  const lost = Atomics.exchange(counters, placeOf(worker) + CONNECTIONS, 0);
  Atomics.sub(counters, ALL_CONNECTIONS, lost);
}

/** One worker's view of the counters. */
export class WorkerCounters {
  readonly #counters: SharedCounters;
  readonly #place: number;

  constructor(counters: SharedCounters, worker: number) {
    this.#counters = counters;
    this.#place = placeOf(worker);
  }

  get allConnections(): number {
    return Atomics.load(this.#counters, ALL_CONNECTIONS);
  }

  countConnection(change: 1 | -1): void {
    Atomics.add(this.#counters, ALL_CONNECTIONS, change);
    Atomics.add(this.#counters, this.#place + CONNECTIONS, change);
  }

  get requests(): number {
    return this.#counters[this.#place + REQUESTS] as number;
  }

  /** Of the requests under way, from the first byte to the last of the answer. */
  countRequest(change: 1 | -1): void {
    (this.#counters[this.#place + REQUESTS] as number) += change;
  }

  countCutOff(connections: number): void {
    Atomics.add(this.#counters, this.#place + CUT_OFF, connections);
  }

  countAnswer(): void {
    // Each place has one writer, and readers need only a rate, so this takes no Atomics.
    (this.#counters[this.#place + ANSWERS] as number)++;
  }
}

function placeOf(worker: number): number {
  return WORKER_STRIDE * (1 + worker);
}
