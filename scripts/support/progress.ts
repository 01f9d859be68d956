/**
 * What a person sees while steps run: one line per finished step, and on a terminal a last line that shows what is
 * running now. Owns that last line of standard error; results (tables) go to standard output.
 */

/** Plain lines where nobody watches (continuous integration, pipes, files) or the terminal cannot clear a line. */
const isTerminal = process.stderr.isTTY === true && !process.env['CI'] && process.env['TERM'] !== 'dumb';

const running = new Set<string>();

/** Prints one line that stays. */
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

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `1 archive`, `2 archives`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function draw(): void {
  if (!isTerminal || running.size === 0) return;
  const width = (process.stderr.columns || 80) - 1;
  process.stderr.write(`… ${[...running].join(', ')}`.slice(0, width));
}

function clear(): void {
  if (isTerminal) process.stderr.write('\r\x1b[K');
}
