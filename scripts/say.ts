/**
 * What a person sees while steps run: one line for each finished step, and on a terminal a last line that shows
 * what is running now. Owns the cursor's line on standard error; results (tables) go to standard output.
 */
/** Plain lines where nobody watches: continuous integration, pipes, files. */
const isTerminal = process.stderr.isTTY === true && !process.env['CI'];

const running = new Set<string>();

/** One line that stays. */
export function say(line: string): void {
  clear();
  process.stderr.write(`${line}\n`);
  draw();
}

/** Shows `what` as running until `work` ends. */
export async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  running.add(what);
  clear();
  draw();
  try {
    return await work();
  } finally {
    running.delete(what);
    clear();
    draw();
  }
}

export function stepLine(step: string, target: string | undefined, result: string): string {
  return `${step.padEnd(17)} ${(target ?? '').padEnd(30)} ${result}`;
}

export function megabytes(octets: number): string {
  return `${(octets / 1e6).toFixed(1)} MB`;
}

function draw(): void {
  if (!isTerminal || running.size === 0) return;
  const width = (process.stderr.columns || 80) - 1;
  process.stderr.write(`… ${[...running].join(', ')}`.slice(0, width));
}

function clear(): void {
  if (isTerminal) process.stderr.write('\r\x1b[K');
}
