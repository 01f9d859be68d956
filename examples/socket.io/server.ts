/**
 * socket.io on connections taken over: rooms, acknowledgements, binary data. Answers Peregrine's WebSocket server.
 *
 *     node examples/socket.io/server.ts
 */
import { createServer } from 'node:http';
import { Server as SocketServer } from 'socket.io';
import { type Call, reply, serve } from 'vrypt-server';

// It wants a server of Node's, which never listens. Without long polling, every client begins with a WebSocket.
const sockets = new SocketServer(createServer(), { transports: ['websocket'] });

sockets.on('connection', (socket) => {
  socket.on('join', (room: string, joined: (count: number) => void) => {
    void socket.join(room);
    joined(sockets.sockets.adapter.rooms.get(room)?.size ?? 0);
  });
  socket.on('say', (room: string, text: string | Buffer) => {
    sockets.to(room).emit('said', socket.id, text);
  });
});

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  handle: (call) => (call.path === '/socket.io/' ? takeOver(call) : reply(404)),
  // Clients of socket.io connect again by themselves, to the next server.
  stop: () => sockets.close(),
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

/** Without fields no 101 is sent: engine.io, below socket.io, sends its own. */
function takeOver(call: Call) {
  const { method, target } = call;
  const headers = Object.fromEntries([...call.fields()].map(([name, value]) => [name.toLowerCase(), value]));
  return call.takeOver({}, (stream, head) => {
    const request = { method, url: target, headers, connection: stream, socket: stream };
    sockets.engine.handleUpgrade(request as never, stream, Buffer.from(head));
  });
}
