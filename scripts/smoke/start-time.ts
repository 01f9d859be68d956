/** How long a server takes from its start to its first answer, or to the line that says it is ready if nobody asks it. */
import type { SmokeSession } from '../program/program.ts';
import { send } from './ask.ts';
import { freePort, type Launch, Server, startOf } from './server.ts';

/** Milliseconds, tried every millisecond. */
export async function startTime(launch: Launch & { readonly timeoutMs: number }, smoke: SmokeSession): Promise<number> {
  const port = await freePort();
  const start = performance.now();
  const { args, env } = startOf(smoke, port);
  const server = new Server(launch, port, args, env);
  const question = smoke.ask[0] ?? {};
  try {
    if (smoke.ask.length === 0 && smoke.ready !== undefined) await server.ready(smoke.ready);
    else
      await server.until('gave no answer', () =>
        send(port, question, launch.timeoutMs).then(
          () => true,
          () => undefined,
        ),
      );
    return performance.now() - start;
  } finally {
    server.signal(smoke.stop);
    await server.end();
  }
}
