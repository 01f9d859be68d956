/**
 * Clients that check every answer, on persistent and on new connections, and count the answers that they were owed but did
 * not get. They go on until told to stop or, if they do not reconnect, until the last connection is closed.
 */
import { connect, type Socket } from 'node:net';
import { orders, report, told } from '../client-process.ts';

export interface CheckedOrders {
  readonly port: number;
  /** Connections that persist. */
  readonly persistent: number;
  /** Requests in flight on each of them. */
  readonly depth: number;
  /** Clients that open a connection for each request. */
  readonly single: number;
  /** Reopens a connection that was closed. */
  readonly reconnects: boolean;
}

/** The first report: every client has received answers. */
export interface CheckedStart {
  readonly isRunning: true;
}

export interface CheckedReport {
  readonly answers: number;
  readonly connections: number;
  /** Requests without an answer on a connection that had not been told `Connection: close`, by reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Requests after an answer that said `Connection: close`: the client may repeat them. */
  readonly excused: number;
  /** Wrong answers. */
  readonly wrong: number;
  readonly slowestMs: number;
  /** Requests that took more than half a second. */
  readonly slow: number;
}

const { port, persistent, depth, single, reconnects } = orders<CheckedOrders>();
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const BODY = '\r\n\r\nVrypt';
const ANSWER =
  /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\nContent-Length: 5\r\nDate: [^\r\n]{29}\r\n(Connection: close\r\n)?\r\nVrypt$/;

const failed: Record<string, number> = {};
let answers = 0;
/** Connections that have received an answer. */
let served = 0;
let connections = 0;
let excused = 0;
let wrong = 0;
let slowestMs = 0;
let slow = 0;
let isOver = false;
let open = 0;

for (let i = 0; i < persistent; i++) start(GET, depth, Number.POSITIVE_INFINITY);
for (let i = 0; i < single; i++) start(i % 2 === 0 ? LAST_GET : GET, 1, 1);
void told('stop').then(() => {
  isOver = true;
  if (open === 0) finish();
});

/** One client: one connection after another, `limit` requests on each, `ahead` of them in flight. */
function start(request: string, ahead: number, limit: number): void {
  open++;
  connections++;
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let sent = 0;
  let answered = 0;
  let isLast = false;
  let reason = 'ended';
  let since = performance.now();
  const send = () => {
    if (isOver || isLast || sent >= limit) return;
    const room = Math.min(ahead - (sent - answered), limit - sent);
    if (room > 0) socket.write(request.repeat(room));
    sent += Math.max(room, 0);
  };
  socket.on('connect', send);
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    for (let end = text.indexOf(BODY); end >= 0; end = text.indexOf(BODY)) {
      const match = ANSWER.exec(text.slice(0, end + BODY.length));
      if (match === null) wrong++;
      isLast ||= match?.[1] !== undefined;
      text = text.slice(end + BODY.length);
      answered++;
      answers++;
      if (answered === 1 && ++served === persistent + single) report({ isRunning: true } satisfies CheckedStart);
      const now = performance.now();
      slowestMs = Math.max(slowestMs, now - since);
      if (now - since > 500) slow++;
      since = now;
    }
    if (answered === limit || (isOver && answered === sent)) socket.destroy();
    else send();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    reason = `${error.syscall ?? ''} ${error.code ?? ''}`.trim();
  });
  socket.on('close', () => {
    open--;
    const missing = Math.max(sent - answered, sent === 0 && reason !== 'ended' ? 1 : 0);
    if (isLast) excused += missing;
    else if (missing > 0) failed[reason] = (failed[reason] ?? 0) + missing;
    if (reconnects && !isOver) start(request, ahead, limit);
    else if (open === 0) finish();
  });
}

function finish(): void {
  report({ answers, connections, failed, excused, wrong, slowestMs, slow } satisfies CheckedReport);
  process.disconnect();
}
