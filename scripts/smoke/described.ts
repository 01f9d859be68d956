/** The checks that follow from a description, for a program that is a server and for one that ends by itself. */
import type { SmokeSession } from '../program/program.ts';
import { Failure } from '../support/errors.ts';
import { assertAnswered } from './ask.ts';
import type { Checks } from './checks.ts';
import { mustBe, withServer } from './own-server.ts';
import { type Ended, Server, startOf } from './server.ts';
import type { Tried } from './session.ts';
import { complaint, shown } from './shown.ts';

export function isServer({ ask, ready }: SmokeSession): boolean {
  return ask.length > 0 || ready !== undefined;
}

export function describedChecks(smoke: SmokeSession, isClosed: boolean): Checks {
  return {
    asked: smoke.ask.map((question) => ({
      sentence: `answers ${question.method ?? 'GET'} ${question.path ?? '/'}`,
      run: ({ server, product }) => assertAnswered(server.port, question, product.timeoutMs),
    })),
    alone: isClosed
      ? [
          {
            sentence: 'ignores every variable that makes Node load code, write files or stop',
            run: async (session) => {
              const { traps, timeoutMs } = session.product;
              const start = (port: number) => {
                const { args, env } = startOf(smoke, port);
                return { args, env: { ...env, ...traps.env } };
              };
              const use = async (server: Server): Promise<void> => {
                for (const question of smoke.ask) await assertAnswered(server.port, question, timeoutMs);
              };
              await withServer(session, start, use, (server) => server.ready(smoke.ready));
              await mustLeaveNothing(traps);
            },
          },
        ]
      : [],
    last: [
      {
        sentence: `ends at ${smoke.stop}`,
        run: async ({ server }) => {
          server.signal(smoke.stop);
          assertEnded(smoke, await server.mustEnd(`after ${smoke.stop}`), server.signalOfEnd);
        },
      },
    ],
  };
}

/** One that ends by itself. Every broken promise as a sentence, and how long it took. */
export async function tryToEnd(
  product: Tried,
  smoke: SmokeSession,
  isClosed: boolean,
): Promise<{ faults: string[]; ms: number }> {
  const start = performance.now();
  const faults: string[] = [];
  const title = ['runs', ...smoke.args].join(' ');
  const attempt = async (sentence: string, env: Readonly<Record<string, string>>): Promise<void> => {
    const server = new Server(product, 0, smoke.args, { ...env, ...smoke.env });
    try {
      assertEnded(smoke, await server.mustEnd('by itself'), server.signalOfEnd);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      faults.push(`${sentence}: ${error.message}`);
    }
  };
  await attempt(title, {});
  const ms = performance.now() - start;
  if (isClosed && faults.length === 0) {
    await attempt(`${title} with every variable set that makes Node load code`, product.traps.env);
    await mustLeaveNothing(product.traps).catch((error: Error) => faults.push(error.message));
  }
  return { faults, ms };
}

function assertEnded(smoke: SmokeSession, { code, stdout, stderr }: Ended, signal: string | null): void {
  const { exitCode, stop, prints } = smoke;
  const isByItself = !isServer(smoke);
  const got = signal ?? String(code);
  const said = stderr.trim() === '' ? stdout : complaint(stderr);
  const isGood = exitCode === undefined ? got === '0' || (!isByItself && got === stop) : got === String(exitCode);
  const wanted = exitCode ?? (isByItself ? 0 : `0 or ${stop}`);
  if (!isGood) throw new Failure(`the exit code must be ${wanted}, got ${got}, with ${shown(said)}`);
  const missing = prints.find((text) => !stdout.includes(text) && !stderr.includes(text));
  if (missing !== undefined) throw new Failure(`it must print ${shown(missing)}, got ${shown(stdout + stderr)}`);
}

async function mustLeaveNothing(traps: Tried['traps']): Promise<void> {
  mustBe('what the variables left behind', (await traps.traces()).join(', '), '');
}
