/** A process that a manager of workers has started (`workers/process-supervisor.ts`) instead of a person. */
import { WORKER_COMMAND } from '../workers/messages.ts';

/** Only a manager gives a channel. */
export function isWorkerProcess(argv: readonly string[]): boolean {
  return argv[2] === WORKER_COMMAND && process.send !== undefined;
}

export async function runWorkerProcess(): Promise<void> {
  const module = await import('../workers/process-worker.ts');
  module.runWorkerProcess();
}
