/** Starts workers, as many as the system lets us have. */

/** A worker that fails with one of these lacks something of which the others have their share. */
const OUT_OF_RESOURCES = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ERR_WORKER_OUT_OF_MEMORY']);

interface Startable {
  /** Resolves when it listens; rejects, with the error's code, if it cannot. */
  start(): Promise<void>;
}

export interface Started<T> {
  /** Those that listen, or may listen in a moment. */
  readonly started: readonly T[];
  /** Why others do not: a reason that is no shortage before one that is. */
  readonly failure: NodeJS.ErrnoException | null;
}

/** Resolves when all have started or failed, or when `stopped` does. */
export async function startAll<T extends Startable>(all: readonly T[], stopped: Promise<unknown>): Promise<Started<T>> {
  let isStopped = false;
  const stop = stopped.then(() => {
    isStopped = true;
  });
  const starts: Promise<NodeJS.ErrnoException | null>[] = [];
  for (const one of all) {
    starts.push(
      one.start().then(
        () => null,
        (error) => error,
      ),
    );
    // Each start blocks this thread: signals and requests have their turn in between.
    await new Promise((resolve) => setImmediate(resolve));
    if (isStopped) break;
  }
  const failures = await Promise.race([Promise.all(starts), stop]);
  if (failures === undefined) return { started: all.slice(0, starts.length), failure: null };
  const isGrave = (failure: NodeJS.ErrnoException | null) => failure !== null && !isShortage(failure);
  return {
    started: all.filter((_, index) => failures[index] === null),
    failure: failures.find(isGrave) ?? failures.find((failure) => failure !== null) ?? null,
  };
}

export function isShortage({ code = '' }: NodeJS.ErrnoException): boolean {
  return OUT_OF_RESOURCES.has(code);
}
