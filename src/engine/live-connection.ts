/** What an engine knows about each of its connections, whatever its protocol. */

export interface LiveConnection {
  /** Index in the engine's list; only the engine sets it. */
  index: number;
  /** When `onDeadline` is due, on the engine's clock. */
  deadline: number;
  onDeadline(): void;
  /** The server is about to end: finish soon. An idle connection must be gone at `idleDeadline`. */
  onDrain(idleDeadline: number): void;
  /** Cuts it off at once. */
  close(): void;
}
