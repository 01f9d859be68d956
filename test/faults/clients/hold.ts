/** Opens many connections, sends one request on each if told to, and holds them until told to leave. */
import { connect, type Socket } from 'node:net';
import { orders, report, told } from '../client-process.ts';

export interface HoldOrders {
  readonly port: number;
  readonly count: number;
  /** Sends one request on each and waits for its answer. */
  readonly asks: boolean;
  /** The request; by default an ordinary one. An answer with 101 holds the connection too. */
  readonly request?: string;
}

export interface HoldReport {
  /** Connections that are open, and answered if they sent a request. */
  readonly open: number;
  /** Refused with a status. */
  readonly refused: number;
  /** Closed without an answer, or never connected. */
  readonly closed: number;
}

const { port, count, asks, request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' } = orders<HoldOrders>();
const AT_ONCE = 100;

const held = new Set<Socket>();
let refused = 0;
let closed = 0;
let begun = 0;

async function openOne(): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let isAnswered = false;
    socket.on('connect', () => {
      held.add(socket);
      if (asks) socket.write(request);
      else resolve();
    });
    socket.on('data', (bytes) => {
      const status = bytes.toString('latin1', 9, 12);
      if (!isAnswered && status !== '200' && status !== '101') {
        refused++;
        socket.destroy();
        held.delete(socket);
      }
      isAnswered = true;
      resolve();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (asks && !isAnswered) closed++;
      held.delete(socket);
      resolve();
    });
  });
}

async function openMore(): Promise<void> {
  while (begun++ < count) await openOne();
}

const leave = told('leave');
await Promise.all(Array.from({ length: AT_ONCE }, openMore));
report({ open: held.size, refused, closed } satisfies HoldReport);
await leave;
const open = held.size;
for (const socket of held) socket.destroy();
report({ open, refused, closed } satisfies HoldReport);
