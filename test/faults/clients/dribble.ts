/** Slow-loris: many connections, each sending a head byte by byte and never ending it. */
import { connect, type Socket } from 'node:net';
import { orders, report } from '../client-process.ts';

export interface DribbleOrders {
  readonly port: number;
  readonly count: number;
  readonly periodMs: number;
}

export interface DribbleReport {
  /** Connections that were answered with 408. */
  readonly refused: number;
  /** Connections that ended in another way. */
  readonly others: number;
  /** The longest time from a connection's first byte to its refusal. */
  readonly longestMs: number;
}

const { port, count, periodMs } = orders<DribbleOrders>();
const HEAD = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4000)}`;

const open = new Set<Socket>();
let refused = 0;
let others = 0;
let longestMs = 0;

function dribble(): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const start = performance.now();
  let isRefused = false;
  socket.on('connect', () => open.add(socket));
  socket.on('data', (bytes) => {
    isRefused ||= bytes.toString('latin1', 9, 12) === '408';
    longestMs = Math.max(longestMs, performance.now() - start);
    socket.end();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    open.delete(socket);
    if (isRefused) refused++;
    else others++;
    if (refused + others === count) {
      report({ refused, others, longestMs } satisfies DribbleReport);
      clearInterval(timer);
      process.disconnect();
    }
  });
}

let byte = 0;
const timer = setInterval(() => {
  byte++;
  for (const socket of open) if (socket.writable) socket.write(HEAD[byte] ?? 'x');
}, periodMs);
for (let i = 0; i < count; i++) dribble();
