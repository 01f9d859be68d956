/** What people type, and what the program must do about it. Each check starts what it needs. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Check } from '../../scripts/smoke/checks.ts';
import { mustBe, runToEnd, withServer } from '../../scripts/smoke/own-server.ts';
import { exchange, freePort, Server } from '../../scripts/smoke/server.ts';
import type { Session } from '../../scripts/smoke/session.ts';
import { shown } from '../../scripts/smoke/shown.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { askAt, assertPort } from './answer-checks.ts';
import { expected } from './expected.ts';
import { identityFaults } from './identity.ts';
import { sparing } from './sparing.ts';

export const optionChecks: readonly Check[] = [
  {
    sentence: 'refuses a port in use with one line and exit code 1',
    run: async (session) => {
      const { port } = session.server;
      const { stdout, stderr } = await runToEnd(session, [String(port)], 1);
      mustBe('standard output', stdout, '');
      mustBe('standard error', stderr, new RegExp(`^[^\\n]*\\b${port}\\b[^\\n]*\\n$`));
    },
  },
  ...['--no-such-option', '--inspect', '--node-options=--inspect'].map((option, index) => ({
    ...(index > 0 && { onlyNatively: 'one unknown option shows that they are refused, and each costs a start' }),
    sentence: `refuses ${option}, an unknown option, with one line and exit code 2`,
    run: async (session: Session) => {
      const { stdout, stderr } = await runToEnd(session, [option], 2);
      mustBe('standard output', stdout, '');
      mustBe('standard error', stderr, new RegExp(`^[^\\n]*${option.slice(0, 8)}[^\\n]*\\n$`));
    },
  })),
  {
    sentence: 'prints its version and commit (--version)',
    run: async (session) => {
      const { version, commit } = session.build;
      mustBe('the version', (await runToEnd(session, ['--version'], 0)).stdout, `${version} (${commit})\n`);
    },
  },
  {
    sentence: 'prints version, commit, target and runtime as JSON (--version --json)',
    run: async (session) => {
      const { stdout } = await runToEnd(session, ['--version', '--json'], 0);
      const [fault] = identityFaults({ name: 'vrypt-server', ...session.build }, stdout);
      if (fault !== undefined) throw new Failure(fault);
    },
  },
  {
    sentence: 'prints its help with every option (--help)',
    run: async (session) => {
      const { stdout, stderr } = await runToEnd(session, ['--help'], 0);
      const missing = expected.options.filter((option) => !stdout.includes(option));
      if (missing.length > 0) throw new Failure(`its help must name ${missing.join(', ')}, got ${shown(stdout)}`);
      mustBe('standard error', stderr, '');
    },
  },
  {
    sentence: 'asks a server whether it is healthy (healthcheck), and one that is not there',
    run: async (session) => {
      await runToEnd(session, ['healthcheck', `http://127.0.0.1:${session.server.port}/`], 0);
      const { stderr } = await runToEnd(session, ['healthcheck', `http://127.0.0.1:${await freePort()}/`], 1);
      mustBe('standard error', stderr, /^[^\n]+\n$/);
    },
  },
  {
    sentence: 'listens where it is told to: on every address of IPv6 (-H ::), with PORT, sending numbers (--statsd)',
    run: async (session) => {
      const { timeoutMs } = session.product;
      const socket = createSocket('udp4');
      try {
        socket.bind(0, '127.0.0.1');
        await once(socket, 'listening', { signal: AbortSignal.timeout(timeoutMs) });
        const { port: statsd } = socket.address() as AddressInfo;
        const start = (port: number) => ({
          args: [...sparing(session), ...(hasIpv6() ? ['-H', '::'] : []), '--statsd', `127.0.0.1:${statsd}`],
          env: { PORT: String(port) },
        });
        await withServer(session, start, async (server, line) => {
          assertPort(Number(expected.ready.exec(line)?.[1]), server.port);
          await askAt(server.port, timeoutMs);
          if (hasIpv6()) await askAt({ host: '::1', port: server.port }, timeoutMs);
          const datagram = once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) }).catch(() => {
            throw new Failure(`it must send numbers to --statsd within ${timeoutMs} ms, it sent none`);
          });
          const [message] = (await datagram) as [Buffer];
          mustBe('the datagram', message.toString(), /^vrypt\.rps:\d+\|g$/);
        });
      } finally {
        socket.close();
      }
    },
  },
  {
    sentence: 'takes VRYPT_PORT before PORT, and answers another text (--text)',
    run: (session) =>
      withServer(
        session,
        (port) => ({ args: [...sparing(session), '--text', 'hello'], env: { PORT: '1', VRYPT_PORT: String(port) } }),
        async (server, line) => {
          assertPort(Number(expected.ready.exec(line)?.[1]), server.port);
          await askAt(server.port, session.product.timeoutMs, { content: 'hello' });
        },
      ),
  },
  {
    sentence: 'listens on a Unix socket (--unix), answers with the request (--echo), and removes the socket',
    run: async (session) => {
      const { product } = session;
      // Relative: the folder's own path may be longer than the 107 bytes that an address takes.
      const name = 'smoke.sock';
      const file = path.join(product.cwd, name);
      const server = new Server(product, 0, [...sparing(session), '--echo', '--unix', name]);
      const folder = openSync(product.cwd, 'r');
      try {
        await server.line();
        const request = 'PUT /a?b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
        const answer = await exchange({ path: `/proc/self/fd/${folder}/${name}` }, request, product.timeoutMs);
        const echo = object(answer.slice(answer.indexOf('\r\n\r\n') + 4));
        mustBe('the method in the echo', String(echo['method']), 'PUT');
        mustBe('the target in the echo', String(echo['target']), '/a?b');
        server.signal('SIGTERM');
        mustBe('the exit code', String((await server.mustEnd('after SIGTERM')).code), '0');
        if (existsSync(file)) throw new Failure(`it must remove its socket ${name}, it did not`);
      } finally {
        closeSync(folder);
        server.signal('SIGKILL');
        await server.end();
      }
    },
  },
];

function object(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Failure(`it must be JSON, got ${shown(text)}`);
  }
}

/** Of this machine; without it there is no address to listen on. */
function hasIpv6(): boolean {
  return existsSync('/proc/net/if_inet6') && readFileSync('/proc/net/if_inet6', 'utf8').trim() !== '';
}
