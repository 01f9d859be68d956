/** What vrypt-server answers, prints and refuses. */

export const expected = {
  /** The line printed at start; group 1 is the port, group 2 the number of workers. */
  ready: /^vrypt-server \S+ listening on http:\/\/\S+:(\d+)\b.*\((\d+) workers?\)/,
  /** The line printed at the end; group 1 is the signal. With the first one it is all that is ever printed. */
  stopped: /^vrypt-server stopped by (SIG[A-Z]+) after \S+: .*$/,
  status: '200 OK',
  fields: { 'Content-Type': 'text/plain' },
  /** Fields that depend on the moment and the connection; besides these and Content-Length there are none. */
  otherFields: ['Date', 'Connection', 'Keep-Alive'],
  content: 'Vrypt',
  refusals: [
    { request: 'GET / HTTP/1.1\r\n\r\n', status: 400 },
    { request: 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', status: 400 },
    { request: 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n', status: 505 },
    { request: 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\n', status: 400 },
    { request: `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, status: 414 },
  ],
  /** What --help must name. */
  options: ['--port', '--host', '--unix', '--workers', '--text', '--echo', '--drain-delay', '--statsd', '--version'],
} as const;
