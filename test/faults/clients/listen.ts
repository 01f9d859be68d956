/** Opens WebSockets of one topic and counts what arrives, or never reads; leaves when told to. */
import { connect, type Socket } from 'node:net';
import { orders, report, told } from '../client-process.ts';

export interface ListenOrders {
  readonly port: number;
  readonly count: number;
  /** The handshake. */
  readonly request: string;
  /** Reads nothing after the handshake. */
  readonly isSlow: boolean;
  /** Of one message, with its frame. */
  readonly bytes: number;
  readonly messages: number;
}

export interface ListenReport {
  readonly open: number;
  /** Those that got every message. */
  readonly complete: number;
}

const { port, count, request, isSlow, bytes, messages } = orders<ListenOrders>();
const AT_ONCE = 100;
const wanted = bytes * messages;
let begun = 0;
let open = 0;
let complete = 0;
const sockets: Socket[] = [];

function openOne(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request));
    sockets.push(socket);
    let received = 0;
    socket.once('data', (head) => {
      open++;
      received = head.length - (head.indexOf('\r\n\r\n') + 4);
      if (isSlow) socket.pause();
      else
        socket.on('data', (data) => {
          received += data.length;
          if (received === wanted && ++complete === count) report({ open, complete } satisfies ListenReport);
        });
      resolve();
    });
    socket.once('error', () => resolve());
    socket.once('close', () => {
      open--;
      resolve();
    });
  });
}

async function openMore(): Promise<void> {
  while (begun++ < count) await openOne();
}

const leave = told('leave');
await Promise.all(Array.from({ length: AT_ONCE }, openMore));
report({ open, complete } satisfies ListenReport);
await leave;
report({ open, complete } satisfies ListenReport);
for (const socket of sockets) socket.destroy();
