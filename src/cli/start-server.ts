/** The server that settings describe, from its start to the exit code. */
import { explainStartError } from './explain-start-error.ts';
import { ExitCode, type ExitCodeValue, type ProcessIO } from './process-io.ts';
import type { ServerHooks } from './server.ts';
import type { Settings } from './settings.ts';

export async function startServer(settings: Settings, io: ProcessIO, hooks?: ServerHooks): Promise<ExitCodeValue> {
  try {
    // Loaded only now: a usage error needs no server.
    const { runServer } = await import('./server.ts');
    await runServer(settings, io.build.version, io, hooks);
    return ExitCode.ok;
  } catch (error) {
    io.printError(`vrypt-server: ${explainStartError(error, settings)}\n`);
    return ExitCode.failed;
  }
}
