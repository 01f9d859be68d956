/** Further processes of the product, each for one check, which ends them. */
import { Failure } from '../support/errors.ts';
import { type Ended, freePort, Server } from './server.ts';
import type { Session } from './session.ts';
import { shown } from './shown.ts';

type Env = Readonly<Record<string, string>>;

/** Starts one on a free port, waits until it is ready (default: has printed a line) and leaves nothing of it behind. */
export async function withServer(
  { product }: Session,
  start: (port: number) => { readonly args: readonly string[]; readonly env?: Env },
  use: (server: Server, line: string) => Promise<void>,
  isReady: (server: Server) => Promise<string> = (server) => server.line(),
): Promise<void> {
  const port = await freePort();
  const { args, env } = start(port);
  const server = new Server(product, port, args, env);
  try {
    await use(server, await isReady(server));
  } finally {
    server.signal('SIGKILL');
    await server.end();
  }
}

/** Runs one that ends by itself, with this exit code. */
export async function runToEnd({ product }: Session, args: readonly string[], code: number): Promise<Ended> {
  const ended = await new Server(product, 0, args).mustEnd(`after ${args.join(' ')}`);
  if (ended.code !== code) {
    throw new Failure(`the exit code must be ${code}, got ${ended.code}, with ${shown(ended.stderr || ended.stdout)}`);
  }
  return ended;
}

export function mustBe(what: string, got: string, wanted: string | RegExp): void {
  if (typeof wanted === 'string' ? got === wanted : wanted.test(got)) return;
  throw new Failure(`${what} must be ${typeof wanted === 'string' ? shown(wanted) : wanted}, got ${shown(got)}`);
}
