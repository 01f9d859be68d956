/** Progress, on standard error: the tables on standard output stay clean. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
