/** 100 MB of pipelined requests, sent at first without reading any answers. */
import { connect } from 'node:net';
import { orders, report, told } from '../client-process.ts';

export interface FloodOrders {
  readonly port: number;
  readonly bytes: number;
}

export interface FloodReport {
  /** Bytes that the kernel accepted before anything was read. */
  readonly takenUnread: number;
}

export interface FloodEnd {
  readonly requests: number;
  readonly answers: number;
}

const { port, bytes } = orders<FloodOrders>();
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const BATCH = Buffer.from(GET.repeat(1000), 'latin1');
const BODY = Buffer.from('\r\n\r\nVrypt');

const socket = connect({ port, host: '127.0.0.1' });
socket.pause();
const read = told('read');
let sent = 0;
let answers = 0;
let tail: Buffer = Buffer.alloc(0);

socket.on('connect', send);
socket.on('drain', send);
socket.on('error', () => end());
socket.on('close', () => end());

// The kernel's buffers are full once nothing has moved for a second.
let last = -1;
while (last !== socket.bytesWritten - socket.writableLength) {
  last = socket.bytesWritten - socket.writableLength;
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
report({ takenUnread: last } satisfies FloodReport);
await read;
socket.on('data', (piece) => {
  const all = Buffer.concat([tail, piece]);
  let after = 0;
  for (let at = all.indexOf(BODY); at >= 0; at = all.indexOf(BODY, after)) {
    answers++;
    after = at + BODY.length;
  }
  tail = all.subarray(Math.max(after, all.length - BODY.length + 1));
  if (answers === requests() && sent >= bytes) end();
});
socket.resume();

function send(): void {
  while (sent < bytes) {
    sent += BATCH.length;
    if (!socket.write(BATCH)) return;
  }
}

function requests(): number {
  return (sent / BATCH.length) * 1000;
}

function end(): void {
  report({ requests: requests(), answers } satisfies FloodEnd);
  process.disconnect();
  socket.destroy();
}
