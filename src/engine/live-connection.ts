/** What an engine knows of each of its connections, whatever protocol is spoken on it. */

export interface LiveConnection {
  /** Place in the engine's list; the engine's to set. */
  index: number;
  /** When `onDeadline` is due, on the engine's clock. */
  deadline: number;
  onDeadline(): void;
  /** The server is about to end: finish soon. `idleDeadline` is when a connection must be gone on which nothing happens. */
  onDrain(idleDeadline: number): void;
  /** Cuts it off at once. */
  close(): void;
}
