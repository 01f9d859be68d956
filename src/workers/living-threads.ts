/** How many threads of ours have not ended: `process.exit` would wait for each of them. */

let count = 0;

export function livingThreads(): number {
  return count;
}

/** Returns what to call when the thread has ended. */
export function countThread(): () => void {
  count++;
  return () => {
    count--;
  };
}
