/** Errors that nobody expected, on stderr. */

/** With its stack; control characters but line ends are escaped, so that nothing a client sent can steer a terminal. */
export function reportError(worker: number, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`vrypt-server: worker ${worker}: ${escapeControls(text)}\n`);
}

export function escapeControls(text: string): string {
  return text.replace(/[^\n\P{Cc}]/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
