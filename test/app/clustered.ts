/** A program with several workers, for workers.test.ts. */
import { threadId } from 'node:worker_threads';
import { reply, serve } from '../../src/index.ts';

// The first call of serve() starts nothing in the threads, and the second joins in.
serve({ port: 0, hostname: '127.0.0.1', handle: () => reply(200, {}, 'other') }).unref();

const server = await serve({
  port: 0,
  hostname: '127.0.0.1',
  workers: 3,
  handleSignals: true,
  drainMs: 5000,
  start: ({ index, count }) => ({ name: `${index} of ${count}` }),
  stop: ({ name }) => console.log(`stopped ${name}`),
  handle(call) {
    if (call.path === '/exit') process.exit(1);
    if (call.path === '/ws') return undefined;
    return reply(200, {}, `${call.state.name} ${threadId}`);
  },
  fetch(request, given) {
    return given.upgrade(request) ? undefined : new Response('no', { status: 400 });
  },
  websocket: {
    open(socket) {
      socket.subscribe('all');
      socket.send(server.state.name);
    },
    message(_socket, data) {
      server.publish('all', data);
    },
  },
}).ready;

if (threadId === 0) console.log(`ready ${server.port}`);
