/** A program made with the library whose handlers fail in every way, for the proofs. Arguments: workers, isolation. */
import { type EventSink, events, reply, type Server, type SocketHandlers, serve, stream } from 'vrypt-server';

const [workers = '1', isolation = 'thread'] = process.argv.slice(2);
const never = () => new Promise<never>(() => {});
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** What handlers have under way; all of it must end with its client. */
const open = { uploads: 0, downloads: 0, sockets: 0, events: 0 };
const PIECE = 'x'.repeat(16 * 1024);

const sockets: SocketHandlers<string> = {
  backpressureLimit: 1024 * 1024,
  open(socket) {
    open.sockets++;
    socket.subscribe(socket.data);
  },
  message: (socket, data) => void socket.send(data),
  close: () => void open.sockets--,
};

const server: Server<number> = await serve({
  port: 0,
  hostname: '127.0.0.1',
  workers: Number(workers),
  isolation: isolation === 'process' ? 'process' : 'thread',
  handleSignals: true,
  drainMs: 5000,
  limits: { bodyMs: 3000, sendMs: 3000 },
  start: ({ index }) => index,
  routes: {
    '/': (call) => reply(200, { 'X-Worker': `${call.state}` }, 'here'),
    '/open': () => reply(200, {}, JSON.stringify(open)),
    '/before': () => {
      throw new Error('thrown before the answer');
    },
    '/later': () => Promise.reject(new Error('rejected before the answer')),
    '/while': () =>
      stream(200, {}, async (out) => {
        await out.write(PIECE);
        await pause(20);
        throw new Error('thrown while streaming');
      }),
    '/short': () => stream(200, {}, (out) => void out.write('half of it'), 20),
    '/after': (call) => {
      call.waitUntil(pause(20).then(() => Promise.reject(new Error('failed after the answer'))));
      return reply(200, {}, 'here');
    },
    '/stalled': (call) => {
      call.timeout(500);
      return stream(200, {}, async (out) => {
        await out.write(PIECE);
        await never();
      });
    },
    '/upload': async (call) => {
      open.uploads++;
      let bytes = 0;
      try {
        for await (const piece of call.body) bytes += piece.length;
      } finally {
        open.uploads--;
      }
      return reply(200, {}, `${bytes}`);
    },
    '/endless': () =>
      stream(200, {}, async (out) => {
        open.downloads++;
        try {
          for (;;) {
            const taken = out.write(PIECE);
            await (taken === true ? pause(0) : taken);
          }
        } finally {
          open.downloads--;
        }
      }),
    '/long': () =>
      stream(
        200,
        {},
        async (out) => {
          for (let piece = 0; piece < 20; piece++) {
            await out.write(PIECE);
            await pause(100);
          }
        },
        20 * PIECE.length,
      ),
    '/events': (call) => events(call, tell),
    '/ws/:topic': (call) => call.accept(sockets, call.params['topic'] as string),
    '/publish/:topic/:bytes': ({ params }) => {
      const { topic = '', bytes = '' } = params;
      return reply(200, {}, `${server.publish(topic, 'x'.repeat(Number(bytes)))}`);
    },
    '/die': () => (isolation === 'process' ? process.abort() : process.exit(1)),
  },
}).ready;
console.log(`listening on http://127.0.0.1:${server.port} (program)`);
// By its own clock: on a busy machine clients hear of the end later.
process.once('SIGTERM', () => {
  const begin = performance.now();
  process.once('exit', () => console.log(`ended after ${(performance.now() - begin).toFixed(0)} ms`));
});

async function tell(out: EventSink): Promise<void> {
  open.events++;
  try {
    while (!out.signal.aborted) {
      await out.send(`${Date.now()}`);
      await pause(50);
    }
  } finally {
    open.events--;
  }
}
