/** WebSockets and other protocols through the proxy. */
import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { connectionsBecome } from '../engine/start-engine.ts';
import { RawOrigin } from './raw-origin.ts';
import { startProxy } from './start-proxy.ts';

const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b\r\n\r\n';

async function startEcho(): Promise<number> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

async function openSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  onTestFinished(() => socket.terminate());
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

describe('a WebSocket', () => {
  test('carries messages both ways, and its closing', async () => {
    const { port, engine, proxy } = await startProxy(await startEcho());
    const socket = await openSocket(port);
    for (const size of [1, 1000, 3_000_000]) {
      const message = Buffer.alloc(size, 'v');
      const echoed = new Promise<Buffer>((resolve) => socket.once('message', (data) => resolve(data as Buffer)));
      socket.send(message);
      expect((await echoed).equals(message)).toBe(true);
    }
    expect(proxy.states()[0]?.counters).toMatchObject({ tunnels: 1, active: 1 });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(1000);
    expect(await closed).toBe(1000);
    await connectionsBecome(engine, 0);
    expect(proxy.states()[0]?.counters).toMatchObject({ tunnels: 0, active: 0 });
  });

  test('is not lost when the proxy drops its settings', async () => {
    const { port, proxy } = await startProxy(await startEcho());
    const socket = await openSocket(port);
    proxy.close();
    const echoed = new Promise<Buffer>((resolve) => socket.once('message', (data) => resolve(data as Buffer)));
    socket.send('still here');
    expect((await echoed).toString()).toBe('still here');
  });
});

describe('an upgrade', () => {
  test('passes on what comes right behind the heads', async () => {
    const origin = await RawOrigin.start();
    const { connect } = await startProxy(origin.port);
    const client = await connect();
    client.send(`${UPGRADE}early`);
    const connection = await origin.connection();
    const head = await connection.request();
    expect(head).toContain('\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
    connection.send(`${SWITCHED}hello`);
    const answer = await client.response();
    expect(answer.head).toBe('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-A: b');
    await connection.request('early');
    connection.end('bye');
    expect(await client.end()).toBe('hellobye');
    client.send('rest').endSending();
    await connection.request('rest');
    await connection.ended();
  });

  test('that is refused is an answer like others', async () => {
    const origin = await RawOrigin.start();
    const { connect } = await startProxy(origin.port);
    const client = await connect();
    client.send(UPGRADE);
    const connection = await origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    expect((await client.response()).status).toBe(403);
  });

  test('without a field Upgrade in the answer is refused', async () => {
    const origin = await RawOrigin.start();
    const { connect, failures } = await startProxy(origin.port);
    const client = await connect();
    client.send(UPGRADE);
    const connection = await origin.connection();
    await connection.request();
    connection.send('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    expect((await client.response()).status).toBe(502);
    expect(failures).toMatchObject([{ reason: 'answerInvalid' }]);
  });

  test('to HTTP/2, or with content, is not passed on', async () => {
    const origin = await RawOrigin.start();
    const { connect } = await startProxy(origin.port);
    const client = await connect();
    client.send(UPGRADE.replace('websocket', 'h2c'));
    const connection = await origin.connection();
    expect(await connection.request()).not.toMatch(/upgrade/i);
    connection.send('HTTP/1.1 204 No\r\n\r\n');
    await client.response();
    client.send(`${UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 1\r\n\r\n')}x`);
    expect(await connection.request('x')).not.toMatch(/upgrade/i);
  });

  test('ends with either side', async () => {
    const origin = await RawOrigin.start();
    const { connect, engine } = await startProxy(origin.port);
    const client = await connect();
    client.send(UPGRADE);
    const connection = await origin.connection();
    await connection.request();
    connection.send(SWITCHED);
    await client.response();
    client.reset();
    await connection.ended();
    await connectionsBecome(engine, 0);
  });

  test('makes neither side wait for memory: a side that does not read stops the other', async () => {
    const origin = await RawOrigin.start();
    const { connect } = await startProxy(origin.port);
    const client = await connect();
    client.send(UPGRADE);
    const connection = await origin.connection();
    await connection.request();
    connection.send(SWITCHED);
    await client.response();
    client.socket.pause();
    const piece = Buffer.alloc(1024 * 1024, 'x');
    let written = 0;
    // The kernel's buffers hold some megabytes; what does not fit must wait with its sender.
    while (written < 64) {
      written++;
      if (!connection.socket.write(piece)) {
        const drained = await Promise.race([
          new Promise<boolean>((resolve) => connection.socket.once('drain', () => resolve(true))),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500)),
        ]);
        if (!drained) break;
      }
    }
    expect(written).toBeLessThan(64);
    client.socket.resume();
    connection.socket.end();
    await client.end();
    expect(client.receivedBytes).toBeGreaterThanOrEqual(written * piece.length);
  });
});
