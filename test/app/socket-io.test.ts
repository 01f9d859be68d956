/** socket.io as it is, on connections taken over. */
import { createServer } from 'node:http';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test } from 'vitest';
import { startServer } from './start-server.ts';

test('socket.io, with acknowledgements, binary data and rooms', async () => {
  // It wants a server of Node's, which need not listen.
  const sockets = new SocketServer(createServer(), { transports: ['websocket'] });
  onTestFinished(() => void sockets.close());
  sockets.on('connection', (socket) => {
    void socket.join('room');
    socket.on('echo', (value, acknowledge) => acknowledge(value));
    socket.on('all', (value) => sockets.to('room').emit('told', value));
  });
  const { url } = await startServer({
    handle(call) {
      if (!call.path.startsWith('/socket.io/')) return undefined;
      const { method, target } = call;
      const headers = Object.fromEntries([...call.fields()].map(([name, value]) => [name.toLowerCase(), value]));
      return call.takeOver({}, (stream, head) => {
        const request = { method, url: target, headers, connection: stream, socket: stream };
        sockets.engine.handleUpgrade(request as never, stream, Buffer.from(head));
      });
    },
  });
  const one = io(url, { transports: ['websocket'] });
  const other = io(url, { transports: ['websocket'] });
  onTestFinished(() => void one.close());
  onTestFinished(() => void other.close());
  const told = new Promise((resolve) => other.on('told', resolve));
  expect(await other.emitWithAck('echo', { a: 1 })).toEqual({ a: 1 });
  expect(Buffer.from(await one.emitWithAck('echo', Buffer.from('bytes'))).toString()).toBe('bytes');
  one.emit('all', 'everybody');
  expect(await told).toBe('everybody');
});
