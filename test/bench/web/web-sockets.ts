/** `serve <port>`: an upstream that echoes, and answers 200 to the rest. `hold <port> <count>`: clients that say something once, until standard input ends. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';

const [what, port = '0', count = '0'] = process.argv.slice(2);
if (what === 'serve') {
  const server = createServer((_, response) => response.end());
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (data) => socket.send(data));
  });
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
} else {
  for (let opened = 0; opened < Number(count); opened++) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    await once(socket, 'open');
    socket.send('hello');
    await once(socket, 'message');
  }
  process.stdout.write('ready\n');
  process.stdin.resume().on('end', () => process.exit(0));
}
