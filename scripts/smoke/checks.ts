/**
 * What every product must do before it may be released, as sentences. A check throws when its sentence is not true.
 * `session` is the one long-lived server that most checks send requests to. Owns nothing.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { program } from '../program/vrypt-server.ts';
import { version } from '../support/checkout.ts';
import { runWell } from '../support/run.ts';
import { exchange, freePort, Server } from './server.ts';
import type { Product } from './unpack.ts';

const { expected } = program;

export interface Session {
  readonly product: Product;
  readonly server: Server;
  /** The line that it printed when it started. */
  readonly line: string;
  readonly url: string;
}

export interface Check {
  readonly sentence: string;
  readonly run: (session: Session) => Promise<void>;
}

export const checks: readonly Check[] = [
  {
    sentence: 'prints where it listens and with how many workers, and all of them listen',
    run: async ({ line, server }) => {
      const match = expected.ready.exec(line);
      assert.ok(match, `the line is: ${line}`);
      assert.equal(Number(match[1]), server.port);
      assert.deepEqual(server.listeningPorts(), Array(Number(match[2])).fill(server.port));
    },
  },
  ...['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'BREW'].map((method) => ({
    sentence: `answers ${expected.content} to ${method}, whatever the path`,
    run: async ({ url }: Session) => {
      for (const path of ['/', `/any/path?of=${method}`]) {
        const body = method === 'GET' || method === 'DELETE' ? [] : ['--data-binary', 'a body'];
        const answer = await curl('-i', '-X', method, ...body, url + path);
        assertAnswer(answer);
      }
    },
  })),
  {
    sentence: 'answers HEAD with the same head and no body',
    run: async ({ url }) => assertHead(await curl('-I', url)),
  },
  {
    sentence: 'reads a chunked body and a large one',
    run: async ({ url }) => {
      assertAnswer(await curl('-i', '-H', 'Transfer-Encoding: chunked', '--data-binary', 'in chunks', url));
      assertAnswer(await curl('-i', '-H', 'Expect:', '--data-binary', 'x'.repeat(100_000), url));
    },
  },
  {
    sentence: 'keeps the connection for a second request',
    run: async ({ url }) => {
      const answer = await curl('-w', ' %{num_connects}\n', `${url}/one`, `${url}/two`);
      assert.equal(answer, `${expected.content} 1\n${expected.content} 0\n`);
    },
  },
  {
    sentence: 'answers a pipelined pair in order and closes when asked to',
    run: async ({ server }) => {
      const first = 'GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const second = 'GET /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      const answer = await exchange(server.port, first + second);
      assert.equal(answer.split(`HTTP/1.1 ${expected.status}\r\n`).length - 1, 2, answer);
      assert.equal(answer.split(`\r\n\r\n${expected.content}`).length - 1, 2, answer);
    },
  },
  {
    sentence: 'answers HTTP/1.0 and closes',
    run: async ({ server }) => {
      const answer = await exchange(server.port, 'GET / HTTP/1.0\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.[01] /);
      assert.ok(answer.slice('HTTP/1.1 '.length).startsWith(expected.status), answer);
      assert.ok(answer.endsWith(`\r\n\r\n${expected.content}`), answer);
    },
  },
  {
    sentence: 'opens no debugger at SIGUSR1 and stays alive',
    run: async ({ server, url }) => {
      server.signal('SIGUSR1');
      // Node's debugger thread takes up to 100 ms to listen, natively.
      for (let i = 0; i < 10; i++) {
        await pause(50);
        const others = server.listeningPorts().filter((port) => port !== server.port);
        assert.deepEqual(others, [], `it listens on ${others}`);
      }
      assertAnswer(await curl('-i', url));
    },
  },
  {
    sentence: 'refuses a port in use with one line and exit code 1',
    run: async ({ product, server }) => {
      const { code, stdout, stderr } = await new Server(product, server.port, [
        '--host',
        '127.0.0.1',
        String(server.port),
      ]).end();
      assert.equal(code, 1, `exit code ${code}: ${stderr}`);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^[^\\n]*\\b${server.port}\\b[^\\n]*\\n$`));
    },
  },
  ...['--no-such-option', '--inspect', '--node-options=--inspect'].map((option) => ({
    sentence: `refuses ${option}, an unknown option, with one line and exit code 2`,
    run: async ({ product }: Session) => {
      const { code, stderr } = await new Server(product, 0, [option]).end();
      assert.equal(code, 2, `exit code ${code}: ${stderr}`);
      assert.match(stderr, /^[^\n]+\n$/);
      assert.ok(stderr.includes(option.slice(0, 8)), stderr);
    },
  })),
  {
    sentence: 'prints its version',
    run: async ({ product }) => {
      const { code, stdout, stderr } = await new Server(product, 0, ['--version']).end();
      assert.equal(code, 0, stderr);
      assert.ok(stdout.includes(version), `it prints: ${stdout}`);
    },
  },
  {
    sentence: 'ends with exit code 0 at SIGTERM, closing an idle connection',
    run: async ({ server }) => {
      const idle = connect(server.port, '127.0.0.1');
      idle.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(idle, 'data');
      const closed = once(idle.resume(), 'close');
      server.signal('SIGTERM');
      const { code, stderr } = await server.end();
      await closed;
      assert.equal(code, 0, `exit code ${code}: ${stderr}`);
      assert.equal(stderr, '', `on standard error: ${stderr}`);
    },
  },
  {
    sentence: 'ignores every variable that makes Node load code, write files or stop',
    run: async ({ product }) => {
      const port = await freePort();
      const server = new Server(product, port, ['--host', '127.0.0.1', String(port)], product.traps.env);
      try {
        await server.line();
        assertAnswer(await curl('-i', `http://127.0.0.1:${port}/`));
      } finally {
        server.signal('SIGTERM');
        assert.equal((await server.end()).code, 0, server.stderr);
      }
      assert.deepEqual(await product.traps.traces(), [], 'it left files behind');
    },
  },
];

/** The server is on this machine: no proxy, whatever the environment names. */
async function curl(...args: string[]): Promise<string> {
  const options = ['--noproxy', '*', '--silent', '--show-error', '--max-time', '60'];
  return (await runWell(['curl', ...options, ...args])).stdout;
}

function assertAnswer(answer: string): void {
  const [head = '', body] = answer.split(/\r\n\r\n(?=[^H]|$)/);
  assertHead(`${head}\r\n\r\n`);
  assert.equal(body, expected.content, answer);
}

function assertHead(head: string): void {
  assert.ok(head.startsWith(`HTTP/1.1 ${expected.status}\r\n`), head);
  const fields = { ...expected.fields, 'Content-Length': String(Buffer.byteLength(expected.content)) };
  for (const [name, value] of Object.entries(fields)) assert.ok(head.includes(`\r\n${name}: ${value}\r\n`), head);
  const date = /\r\nDate: ([^\r]+ GMT)\r\n/.exec(head)?.[1];
  assert.ok(Math.abs(Date.parse(date ?? '') - Date.now()) < 10_000, `Date is ${date}`);
  assert.ok(head.endsWith('\r\n\r\n'), 'there must be no body');
}
