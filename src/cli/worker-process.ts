/** A process that a manager of workers has started (`workers/process-supervisor.ts`) instead of a person. */
import { WORKER_COMMAND } from '../workers/messages.ts';
import type { WorkerApp } from '../workers/worker-app.ts';

/** Only a manager gives a channel. */
export function isWorkerProcess(argv: readonly string[]): boolean {
  return argv[2] === WORKER_COMMAND && process.send !== undefined;
}

/** Whether the plain server can serve what the manager will send. */
export function isPlainWorker(argv: readonly string[]): boolean {
  const kind = argv[3] as WorkerApp['kind'];
  return kind === 'respond' || kind === 'echo';
}

export async function runWorkerProcess(): Promise<void> {
  const module = await import('../workers/process-worker.ts');
  module.runWorkerProcess();
}
