/** What the session's server must answer, and how it must look from outside while it does. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Check } from '../../scripts/smoke/checks.ts';
import { exchange, type Place, type Server } from '../../scripts/smoke/server.ts';
import type { Session } from '../../scripts/smoke/session.ts';
import { shown } from '../../scripts/smoke/shown.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { run } from '../../scripts/support/run.ts';
import { assertAnswer, assertRefusal, type Wanted } from './answer.ts';
import { expected } from './expected.ts';

export const answerChecks: readonly Check[] = [
  {
    sentence: 'prints where it listens and with how many workers, and all of them listen on every address',
    run: async ({ line, server }) => {
      const match = expected.ready.exec(line);
      if (match === null) throw new Failure(`its first line must match ${expected.ready}, got ${shown(line)}`);
      const [, port, workers] = match;
      assertPort(Number(port), server.port);
      const sockets = server.listening();
      if (sockets.length !== Number(workers) || sockets.some((socket) => socket.port !== server.port)) {
        const got = sockets.map((socket) => socket.port).join(', ');
        throw new Failure(`it must listen ${workers} times on ${server.port}, got ${got || 'nothing'}`);
      }
      const narrow = sockets.find(({ address }) => /[^0]/.test(address));
      if (narrow !== undefined) throw new Failure(`it must listen on every address, got ${addressOf(narrow.address)}`);
      // A kernel without IPv6 lists no address of it.
      const hasIpv6 = existsSync('/proc/net/if_inet6') && readFileSync('/proc/net/if_inet6', 'latin1') !== '';
      if (hasIpv6 && sockets.some(({ address }) => address.length === 8)) {
        throw new Failure("it must listen on every address, got only IPv4's");
      }
    },
  },
  ...['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'BREW'].map((method) => ({
    sentence: `answers ${expected.content} to ${method}, whatever the path`,
    run: async (session: Session) => {
      const body = method === 'GET' || method === 'DELETE' ? '' : 'a body';
      for (const path of ['/', `/any/path?of=${method}`]) await ask(session, method, path, body);
    },
  })),
  {
    sentence: 'answers HEAD with the same head and no content',
    run: (session) => ask(session, 'HEAD', '/', '', { isHead: true }),
  },
  {
    sentence: 'reads a chunked body and a large one',
    run: async ({ server, product }) => {
      const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
      for (const rest of [
        'Transfer-Encoding: chunked\r\n\r\n9\r\nin chunks\r\n0\r\n\r\n',
        `Content-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`,
      ]) {
        const sentAt = Date.now();
        assertAnswer(await exchange(server.port, head + rest, product.timeoutMs), sentAt);
      }
    },
  },
  {
    sentence: 'keeps the connection for a second request of curl',
    run: async ({ server, product }) => {
      const url = `http://127.0.0.1:${server.port}`;
      const seconds = String(Math.ceil(product.timeoutMs / 1000));
      // The server is on this machine: no proxy, whatever the environment names.
      const options = ['--noproxy', '*', '--silent', '--show-error', '--max-time', seconds, '-w', ' %{num_connects}\n'];
      const { stdout, stderr } = await run(['curl', ...options, `${url}/one`, `${url}/two`]);
      const wanted = `${expected.content} 1\n${expected.content} 0\n`;
      if (stdout !== wanted) throw new Failure(`curl must print ${shown(wanted)}, got ${shown(stdout + stderr)}`);
    },
  },
  {
    sentence: 'answers a pipelined pair in order and closes when asked to',
    run: async ({ server, product }) => {
      const first = 'GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const second = 'GET /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      const sentAt = Date.now();
      const answer = await exchange(server.port, first + second, product.timeoutMs);
      const at = answer.indexOf('HTTP/1.1 ', 1);
      if (at < 0) throw new Failure(`it must answer both, got ${shown(answer)}`);
      assertAnswer(answer.slice(0, at), sentAt);
      assertAnswer(answer.slice(at), sentAt);
    },
  },
  {
    sentence: 'answers HTTP/1.0 and closes',
    run: async ({ server, product }) => {
      const sentAt = Date.now();
      const answer = await exchange(server.port, 'GET / HTTP/1.0\r\n\r\n', product.timeoutMs);
      assertAnswer(answer, sentAt, { versions: ['HTTP/1.0', 'HTTP/1.1'] });
    },
  },
  {
    sentence: 'refuses what is not HTTP, with the status of each',
    run: async ({ server, product }) => {
      for (const { request, status } of expected.refusals) {
        assertRefusal(await exchange(server.port, request, product.timeoutMs), request, status);
      }
    },
  },
  {
    sentence: 'does nothing while nobody asks',
    run: async ({ server, product }) => {
      const deadline = performance.now() + product.timeoutMs / 4;
      let share = 1;
      // What the requests before left to do may take a moment; a loop never ends.
      while (share > 0.3 && performance.now() < deadline) share = await busyShare(server);
      if (share > 0.3)
        throw new Failure(`it must want at most 30 % of a CPU while idle, got ${Math.round(share * 100)} %`);
    },
  },
];

export async function ask(
  { server, product }: Session,
  method: string,
  target: string,
  body: string,
  wanted: Wanted = {},
): Promise<void> {
  await askAt(server.port, product.timeoutMs, wanted, method, target, body);
}

/** One request on a connection of its own. */
export async function askAt(
  place: Place,
  timeoutMs: number,
  wanted: Wanted = {},
  method = 'GET',
  target = '/',
  body = '',
): Promise<void> {
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  const request = `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${length}Connection: close\r\n\r\n${body}`;
  const sentAt = Date.now();
  assertAnswer(await exchange(place, request, timeoutMs), sentAt, wanted);
}

export function assertPort(got: number, wanted: number): void {
  if (got !== wanted) throw new Failure(`its line must name the port ${wanted}, got ${got}`);
}

async function busyShare(server: Server): Promise<number> {
  const [before, start] = [server.wantedCpuMs(), performance.now()];
  await pause(250);
  return (server.wantedCpuMs() - before) / (performance.now() - start);
}

/** As people write it; the kernel prints words of the machine's byte order. */
function addressOf(words: string): string {
  if (words.length !== 8) return `[${words}]`;
  return [...Buffer.from(words, 'hex')].reverse().join('.');
}
