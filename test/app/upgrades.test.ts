import { once } from 'node:events';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type App, reply, type SocketHandlers } from '../../src/index.ts';
import { get, startServer } from './start-server.ts';

interface Client {
  readonly socket: WebSocket;
  next(): Promise<string>;
  readonly closed: Promise<[code: number, reason: string]>;
}

async function open(url: string, protocols: string[] = [], headers: Record<string, string> = {}): Promise<Client> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, { headers });
  onTestFinished(() => socket.terminate());
  const queue: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  socket.on('message', (data) => {
    const text = String(data);
    const resolve = waiting.shift();
    if (resolve === undefined) queue.push(text);
    else resolve(text);
  });
  const closed = new Promise<[number, string]>((resolve) => {
    socket.on('close', (code, reason) => resolve([code, reason.toString()]));
  });
  await once(socket, 'open');
  const next = () => {
    const text = queue.shift();
    return text === undefined ? new Promise<string>((resolve) => waiting.push(resolve)) : Promise.resolve(text);
  };
  return { socket, next, closed };
}

const ECHO: SocketHandlers = {
  open: (socket) => void socket.send(`hello ${JSON.stringify(socket.data)}`),
  message: (socket, data) => void socket.send(data),
};

describe('call.accept', () => {
  test('answers 101 and speaks WebSocket, with data, protocol and fields', async () => {
    const { server, url } = await startServer({
      handle: (call) => call.accept(ECHO, { path: call.path }, { protocol: 'chat', fields: { 'X-A': '1' } }),
    });
    const { socket, next } = await open(`${url}room`, ['other', 'chat']);
    expect(await next()).toBe('hello {"path":"/room"}');
    expect(socket.protocol).toBe('chat');
    socket.send('ping');
    expect(await next()).toBe('ping');
    expect([server.pendingWebSockets, server.pendingRequests]).toEqual([1, 0]);
    socket.close(4000, 'done');
    await once(socket, 'close');
    await vi.waitUntil(() => server.pendingWebSockets === 0);
  });

  test('a request that is no handshake is told so, and the connection goes on', async () => {
    const { connect } = await startServer({ handle: (call) => call.accept(ECHO, null) });
    const client = await connect();
    const { status, head } = await client.send(get('/')).response();
    expect([status, head.includes('Upgrade: websocket')]).toEqual([426, true]);
    const bad = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n';
    expect((await client.send(get('/', bad)).response()).status).toBe(400);
  });
});

describe('server.upgrade', () => {
  const app: App = {
    async fetch(request, server) {
      if (new URL(request.url).pathname === '/plain') return new Response('plain');
      await Promise.resolve();
      const headers = { 'Set-Cookie': 'a=1', 'Sec-WebSocket-Protocol': 'chat' };
      if (server.upgrade(request, { data: { user: request.headers.get('x-user') }, headers })) return undefined;
      return new Response('not a WebSocket', { status: 400 });
    },
    websocket: {
      open(socket) {
        socket.subscribe('all');
        socket.send(`hello ${JSON.stringify(socket.data)} ${socket.remoteAddress}`);
      },
      message(socket, data) {
        socket.publish('all', `said ${data}`);
      },
    },
  };

  test('as with Bun: data, headers, publish and subscribe', async () => {
    const { server, url } = await startServer(app);
    const one = await open(url, ['chat'], { 'X-User': 'one' });
    const other = await open(url, ['chat']);
    expect(await one.next()).toBe('hello {"user":"one"} 127.0.0.1');
    expect(await other.next()).toBe('hello {"user":null} 127.0.0.1');
    expect(one.socket.protocol).toBe('chat');
    one.socket.send('this');
    expect(await other.next()).toBe('said this');
    expect([server.subscriberCount('all'), server.publish('all', 'to all')]).toEqual([2, 6]);
    expect([await one.next(), await other.next()]).toEqual(['to all', 'to all']);
    expect(await (await fetch(url)).text()).toBe('not a WebSocket');
  });

  test('a drain closes them with 1001', async () => {
    const { server, url } = await startServer(app);
    const { closed, next } = await open(url, ['chat']);
    await next();
    const stopped = server.stop();
    expect(await closed).toEqual([1001, '']);
    await stopped;
    expect(server.pendingWebSockets).toBe(0);
  });

  test('the first protocol that the client offers is spoken unless another is named', async () => {
    const { url } = await startServer({
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response()),
      websocket: ECHO,
    });
    expect((await open(url, ['one', 'two'])).socket.protocol).toBe('one');
  });

  test('needs handlers', async () => {
    const errors: unknown[] = [];
    const { url } = await startServer({
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response()),
      error(error) {
        errors.push(error);
        return reply(500);
      },
    });
    await fetch(url);
    expect(errors[0]).toMatchObject({ message: expect.stringContaining('websocket must be given') });
  });
});

describe('call.takeOver', () => {
  test('gives a stream in both directions, and what came behind the request', async () => {
    const { server, connect } = await startServer({
      handle: (call) =>
        call.takeOver({ Upgrade: 'shout' }, (stream, head) => {
          stream.write(String(head).toUpperCase());
          stream.on('data', (bytes) => stream.write(String(bytes).toUpperCase()));
          stream.on('end', () => stream.end('bye'));
        }),
    });
    const client = await connect();
    client.send(`${get('/', 'Connection: Upgrade\r\nUpgrade: shout\r\n')}first `);
    const answer = await client.response();
    expect([answer.status, answer.head.includes('Upgrade: shout')]).toEqual([101, true]);
    client.send('second ');
    while (!client.received.includes('SECOND')) await new Promise((resolve) => setImmediate(resolve));
    client.endSending();
    expect(await client.end()).toBe('FIRST SECOND bye');
    await server.stop();
  });

  test('moves megabytes with back-pressure', async () => {
    const size = 8 * 1024 * 1024;
    const { connect } = await startServer({
      handle: (call) =>
        call.takeOver({ Upgrade: 'echo' }, (stream) => {
          stream.pipe(stream);
        }),
    });
    const client = await connect();
    await client.send(get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n')).response();
    client.send(Buffer.alloc(size, 'x')).endSending();
    expect((await client.end()).length).toBe(size);
  });

  test('a client that goes is an error of the stream, and of nothing else', async () => {
    const closed = Promise.withResolvers<void>();
    const { connect } = await startServer({
      handle: (call) => call.takeOver({ Upgrade: 'x' }, (stream) => void stream.on('close', closed.resolve)),
    });
    const client = await connect();
    await client.send(get('/', 'Connection: Upgrade\r\nUpgrade: x\r\n')).response();
    client.reset();
    await closed.promise;
  });

  test('ws runs on it, its own handshake included', async () => {
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`ws ${data}`)));
    const { server, url } = await startServer({
      handle: (call) => {
        const { method, target } = call;
        const headers = Object.fromEntries([...call.fields()].map(([name, value]) => [name.toLowerCase(), value]));
        return call.takeOver({}, (stream, head) => {
          const request = { method, url: target, headers, socket: stream };
          sockets.handleUpgrade(request as never, stream, Buffer.from(head), (socket) => {
            sockets.emit('connection', socket, request);
          });
        });
      },
    });
    const { socket, next } = await open(url);
    socket.send('runs');
    expect(await next()).toBe('ws runs');
    await server.stop({ graceMs: 1 });
  });
});
