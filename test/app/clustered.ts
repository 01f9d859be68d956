/**
 * A program with several workers, for workers.test.ts. Arguments: the isolation, and a file whose text is its version. WHERE in the
 * environment: a Unix socket instead of a port, or `tls`.
 */
import { readFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { reply, serve } from '../../src/index.ts';

const isolation = process.argv[2] === 'process' ? 'process' : 'thread';
const versionFile = process.argv[3];
const version = versionFile === undefined ? '' : readFileSync(versionFile, 'utf8');

// The first call of serve() starts nothing in the threads, and the second joins in.
serve({ port: 0, hostname: '127.0.0.1', handle: () => reply(200, {}, 'other') }).unref();

const { WHERE = '' } = process.env;
const place = WHERE.startsWith('/') ? { unix: WHERE } : { port: 0, hostname: '127.0.0.1' };

const server = await serve({
  ...place,
  ...(WHERE === 'tls' ? { tls: { selfSigned: true } } : {}),
  workers: 3,
  isolation,
  handleSignals: true,
  drainMs: 5000,
  start: ({ index, count }) => ({ name: `${index} of ${count}` }),
  stop: ({ name }) => console.log(`stopped ${name}`),
  handle(call) {
    if (call.path === '/exit') process.exit(1);
    if (call.path === '/crash') process.abort();
    if (call.path === '/version') return reply(200, {}, `${call.state.name} ${version}`);
    if (call.path === '/later') return new Promise<never>(() => {});
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

if (threadId === 0 && process.send === undefined) {
  console.log(`ready ${server.port}`);
  process.on('SIGUSR2', () => {
    console.log(`pending ${server.pendingRequests} ${server.pendingWebSockets}`);
    const app = { handle: () => reply(200, {}, `0 of 3 ${readFileSync(versionFile ?? '', 'utf8')}`) };
    void server.reload(app).then(() => console.log('reloaded'));
  });
}
