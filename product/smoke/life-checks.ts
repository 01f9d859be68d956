/** How a product lives and ends: many requests, signals, what it must ignore. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Check } from '../../scripts/smoke/checks.ts';
import { mustBe, withServer } from '../../scripts/smoke/own-server.ts';
import { exchange, type Server } from '../../scripts/smoke/server.ts';
import type { Session } from '../../scripts/smoke/session.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { askAt } from './answer-checks.ts';
import { expected } from './expected.ts';
import { sparing } from './sparing.ts';

const plain = (session: Session) => (port: number) => ({ args: [String(port), ...sparing(session)] });
const head = 'GET / HTTP/1.1\r\nHost: localhost\r\n';
const requests = 1000;
const mostGrowth = 64 << 20;
/** Connections that it has not closed yet. */
const mostOpened = 16;

export const lifeChecks: readonly Check[] = [
  {
    sentence: `answers ${requests} requests with one worker (-w 1), which keeps its memory and its open files`,
    run: (session) =>
      withServer(
        session,
        (port) => ({ args: [String(port), '-w', '1'] }),
        async (server, line) => {
          mustBe('the number of workers in its line', expected.ready.exec(line)?.[2] ?? line, '1');
          mustBe('the number of sockets that listen', String(server.listeningPorts().length), '1');
          await manyRequests(server, session.product.timeoutMs);
          if (server.stderr !== '') throw new Failure(`it must print no error, got ${JSON.stringify(server.stderr)}`);
        },
      ),
  },
  {
    sentence: 'ends with exit code 0 at SIGINT',
    run: (session) =>
      withServer(session, plain(session), async (server) => {
        await askAt(server.port, session.product.timeoutMs);
        server.signal('SIGINT');
        mustBe('the exit code', String((await server.mustEnd('after SIGINT')).code), '0');
      }),
  },
  {
    sentence: 'ends at once at the second signal, even with a request under way',
    onlyNatively: 'under QEMU 7.2 the aarch64 program did not end within a minute; why is not known yet',
    run: (session) =>
      withServer(
        session,
        (port) => ({
          args: [String(port), '--drain-timeout', '10m', '--request-timeout', '10m', '--header-timeout', '10m'],
        }),
        async (server) => {
          const open = connect(server.port, '127.0.0.1').on('error', () => undefined);
          try {
            // Answered first, so that it has read the rest.
            open.write(`${head}\r\n${head}`);
            await once(open, 'data', { signal: AbortSignal.timeout(session.product.timeoutMs) });
            server.signal('SIGTERM');
            await closedPort(server, session.product.timeoutMs);
            if (server.hasEnded) throw new Failure('it must wait for the request under way, it ended');
            server.signal('SIGTERM');
            await server.mustEnd('after the second SIGTERM');
          } finally {
            open.destroy();
          }
        },
      ),
  },
  {
    sentence: 'keeps accepting for --drain-delay after SIGTERM, then ends with exit code 0',
    run: (session) =>
      withServer(
        session,
        (port) => ({ args: [String(port), ...sparing(session), '--drain-delay', '400ms'] }),
        async (server) => {
          server.signal('SIGTERM');
          await pause(50);
          await askAt(server.port, session.product.timeoutMs);
          mustBe('the exit code', String((await server.mustEnd('after --drain-delay')).code), '0');
        },
      ),
  },
  {
    sentence: 'opens no debugger at SIGUSR1 and stays alive',
    run: async (session) => {
      const { server } = session;
      server.signal('SIGUSR1');
      // Node's debugger thread takes up to 100 ms to listen, natively.
      for (let i = 0; i < 10; i++) {
        await pause(50);
        if (server.hasEnded) throw new Failure('it must stay alive at SIGUSR1, it ended');
        const others = server.listeningPorts().filter((port) => port !== server.port);
        if (others.length > 0) throw new Failure(`it must listen only on ${server.port}, got ${others.join(', ')}`);
      }
      await askAt(server.port, session.product.timeoutMs);
    },
  },
  {
    sentence: 'ignores every variable that makes Node load code, write files or stop',
    run: async (session) => {
      const { traps, timeoutMs } = session.product;
      await withServer(
        session,
        (port) => ({ ...plain(session)(port), env: traps.env }),
        async (server) => {
          await askAt(server.port, timeoutMs);
          server.signal('SIGTERM');
          mustBe('the exit code', String((await server.mustEnd('after SIGTERM')).code), '0');
        },
      );
      const traces = await traps.traces();
      if (traces.length > 0) throw new Failure(`it must leave no files behind, got ${traces.join(', ')}`);
    },
  },
];

/** On few connections, a hundred at a time; memory is looked at in between, so that a leak ends early. */
async function manyRequests(server: Server, timeoutMs: number): Promise<void> {
  const batch = 100;
  await exchange(server.port, `${head}Connection: close\r\n\r\n`, timeoutMs);
  const before = server.memory();
  const openBefore = server.openFiles();
  for (let done = 0; done < requests; done += batch) {
    const last = `${head}Connection: close\r\n\r\n`;
    const answer = await exchange(server.port, `${head}\r\n`.repeat(batch - 1) + last, timeoutMs).catch(
      (error: unknown) => {
        throw new Failure(`it must answer ${requests} requests, after ${done}: ${String(error)}`);
      },
    );
    const answers = answer.split(`HTTP/1.1 ${expected.status}\r\n`).length - 1;
    if (answers !== batch) throw new Failure(`it must answer ${requests} requests, got ${done + answers} answers`);
    const growth = server.memory() - before;
    if (growth > mostGrowth) {
      const megabytes = (bytes: number): number => Math.round(bytes / (1 << 20));
      throw new Failure(
        `its memory must grow by at most ${megabytes(mostGrowth)} MiB, got ${megabytes(growth)} MiB in ${done + batch} requests`,
      );
    }
  }
  const more = server.openFiles() - openBefore;
  if (more > mostOpened) {
    throw new Failure(`its open files must grow by at most ${mostOpened}, got ${more} in ${requests} requests`);
  }
}

async function closedPort(server: Server, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!server.hasEnded && server.listeningPorts().length > 0) {
    if (performance.now() > deadline)
      throw new Failure(`it must stop listening within ${timeoutMs} ms after SIGTERM, it did not`);
    await pause(5);
  }
}
