/** What the system calls a worker. */

/** The kernel's limit on a name. */
const MAX_NAME = 15;

/** `vrypt-server/1`, as /proc/<pid>/task/<tid>/comm shows it. The number stays whole. */
export function workerName(worker: number): string {
  const number = `/${worker}`;
  return `${'vrypt-server'.slice(0, MAX_NAME - number.length)}${number}`;
}
