/** What serves in one worker, as those see it who start and end it: an engine, or several that act as one. */

export interface WorkerEngine {
  readonly connectionCount: number;
  readonly isDraining: boolean;
  /** Calls `listener` while somebody is connected, several times a second. */
  everyTick(listener: (now: number) => void): void;
  announceDrain(): void;
  drain(timeoutMs: number): Promise<void>;
  closeConnections(): void;
  close(): void;
}
