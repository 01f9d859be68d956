/** The program that this repository packages. The only place in scripts/ that knows what it is and what it answers. */
import type { Program } from './program.ts';

export const program: Program = {
  name: 'vrypt-server',
  entry: 'src/main.ts',
  worker: { entry: 'src/workers/worker.ts', constant: 'WORKER_SOURCE' },
  stamps: { version: 'BUILD_VERSION', commit: 'BUILD_COMMIT', targets: 'BUILD_TARGETS' },
  // commander can start programs for subcommands, and there are none; loading what starts them takes 3 ms.
  replaced: { 'node:child_process': './src/cli/no-child-process.ts' },
  readme: 'scripts/program/vrypt-server.README.md',
  expected: {
    ready: /^vrypt-server \S+ listening on http:\/\/\S+:(\d+)\b.*\((\d+) workers?\)/,
    stopped: /^vrypt-server stopped by (SIG[A-Z]+) after \S+: .*$/,
    status: '200 OK',
    fields: { 'Content-Type': 'text/plain' },
    otherFields: ['Date', 'Connection', 'Keep-Alive'],
    content: 'Vrypt',
    refusals: [
      { request: 'GET / HTTP/1.1\r\n\r\n', status: 400 },
      { request: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', status: 400 },
      { request: 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', status: 505 },
      { request: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n', status: 400 },
      { request: `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, status: 414 },
    ],
    options: ['--port', '--host', '--unix', '--workers', '--text', '--echo', '--drain-delay', '--statsd', '--version'],
  },
};
