/** One kind of misbehavior at full speed for some time. */
import { connect, type Socket } from 'node:net';
import { orders, report } from '../client-process.ts';

export type StormKind = keyof typeof KINDS;

export interface StormOrders {
  readonly port: number;
  readonly kind: StormKind;
  readonly ms: number;
}

export interface StormReport {
  /** Connections, or whatever the kind counts. */
  readonly count: number;
  /** Missing answers; only for kinds that wait for answers. */
  readonly missing: number;
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const AT_ONCE = 64;

let count = 0;
let missing = 0;

/** Each makes one connection. */
const KINDS = {
  /** A request, then a reset before its answer can be read; every other time only half a request. */
  reset: (socket: Socket, done: () => void) => {
    socket.write(count % 2 === 0 ? GET : 'GET / HT');
    setImmediate(() => {
      socket.resetAndDestroy();
      done();
    });
  },
  /** Nothing at all. */
  vanish: (socket: Socket, done: () => void) => {
    socket.destroy();
    done();
  },
  /** A request and FIN; the answer is awaited. */
  halfOpen: (socket: Socket, done: () => void) => {
    let answered = '';
    socket.on('data', (bytes) => {
      answered += bytes.toString('latin1');
    });
    socket.on('close', () => {
      if (!answered.endsWith('Vrypt')) missing++;
      done();
    });
    socket.end(GET);
  },
  /** Ten requests, one byte per segment; the answers are awaited. */
  singleBytes: (socket: Socket, done: () => void) => {
    const text = GET.repeat(10);
    expectAnswers(socket, 10, done);
    let at = 0;
    const next = () => {
      if (at < text.length && socket.writable) socket.write(text[at++] as string, () => setImmediate(next));
    };
    next();
  },
  /** A request with ten thousand chunks of one byte. */
  singleChunks: (socket: Socket, done: () => void) => {
    expectAnswers(socket, 1, done);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(`${'1\r\nx\r\n'.repeat(10_000)}0\r\n\r\n`);
  },
};

const { port, kind, ms } = orders<StormOrders>();
const end = performance.now() + ms;

await Promise.all(Array.from({ length: AT_ONCE }, storm));
report({ count, missing } satisfies StormReport);
process.disconnect();

async function storm(): Promise<void> {
  while (performance.now() < end) {
    await new Promise<void>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.on('error', () => resolve());
      socket.once('connect', () => KINDS[kind](socket, resolve));
    });
    count++;
  }
}

function expectAnswers(socket: Socket, expected: number, done: () => void): void {
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    if (text.split('Vrypt').length - 1 === expected) socket.destroy();
  });
  socket.on('close', () => {
    missing += expected - (text.split('Vrypt').length - 1);
    done();
  });
}
