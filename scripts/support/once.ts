/** Work that is done once per process, however many ask for it. */
const started = new Map<string, Promise<unknown>>();

export function once<T>(name: string, work: () => Promise<T>): Promise<T> {
  let promise = started.get(name) as Promise<T> | undefined;
  if (promise === undefined) {
    promise = work();
    started.set(name, promise);
  }
  return promise;
}
