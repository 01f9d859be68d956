/**
 * A chat over WebSockets, with a topic for each room. Answers Peregrine's WebSocket example.
 *
 *     node examples/chat/server.ts          # then open http://localhost:3000/?room=tea&name=Ada in two windows
 */
import path from 'node:path';
import { file, parseQuery, serve } from 'vrypt-server';

interface Person {
  readonly name: string;
  readonly topic: string;
}

const page = path.join(import.meta.dirname, 'page.html');

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  routes: {
    '/': (call) => file(call, page),
    '/chat': (call) => {
      const query = parseQuery(call.query);
      const name = (query.get('name') ?? '').slice(0, 50) || 'Somebody';
      return call.accept<Person>(
        {
          maxPayloadLength: 16 * 1024,
          perMessageDeflate: true,
          open(socket) {
            // With several workers, a topic reaches the sockets of all of them.
            socket.subscribe(socket.data.topic);
            tell(socket.data, `${name} is here`);
          },
          message(socket, text) {
            if (typeof text === 'string') tell(socket.data, `${name}: ${text}`);
          },
          close(socket) {
            tell(socket.data, `${name} has left`);
          },
        },
        { name, topic: `room ${query.get('room') ?? 'hall'}` },
      );
    },
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

/** To all in the room, the speaker included. */
function tell({ topic }: Person, text: string): void {
  server.publish(topic, JSON.stringify({ text, at: new Date().toISOString() }));
}
