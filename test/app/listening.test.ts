import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Datagrams, type Link, type ListenTarget, type Protocol, reply, serve } from '../../src/index.ts';
import { RawClient } from '../engine/raw-client.ts';
import { get } from './start-server.ts';

const HOST = '127.0.0.1';
const handle = () => reply(200, {}, 'http');

/** What arrives is sent back. */
const echo: Protocol = { data: (link, bytes) => void link.write(bytes) };
const udpEcho: Datagrams = { message: (bytes, from, socket) => void socket.send(bytes, from) };

async function start(...listen: ListenTarget[]) {
  const server = await serve({ handle, listen }).ready;
  onTestFinished(() => server.stop(true));
  return server;
}

async function speak(protocol: Protocol): Promise<{ client: RawClient; server: Awaited<ReturnType<typeof start>> }> {
  const server = await start({ port: 0, hostname: HOST, protocol });
  const client = await RawClient.connect(server.addresses[0]?.port ?? 0);
  onTestFinished(() => client.close());
  return { client, server };
}

test('one server listens on ports, a Unix socket and UDP, and speaks on each what it was told', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-listening-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const unix = path.join(folder, 'socket');
  const server = await start(
    { port: 0, hostname: HOST, protocol: echo },
    { port: 0, hostname: HOST },
    { unix },
    { port: 0, hostname: HOST, datagrams: udpEcho },
  );
  const [echoed, http, file, udp] = server.addresses;
  expect([server.port, file]).toEqual([http?.port, { address: unix, port: 0, family: 'unix' }]);

  const one = await RawClient.connect(echoed?.port ?? 0);
  one.send('abc').endSending();
  expect(await one.end()).toBe('abc');
  const two = await RawClient.connect(server.port);
  expect((await two.send(get('/', 'Connection: close\r\n')).response()).body).toBe('http');
  const three = await RawClient.connectUnix(unix);
  expect((await three.send(get('/', 'Connection: close\r\n')).response()).body).toBe('http');
  const client = createSocket('udp4');
  client.send('datagram', udp?.port ?? 0, HOST);
  expect(`${(await once(client, 'message'))[0]}`).toBe('datagram');
  client.close();
  await server.stop();
  expect(existsSync(unix)).toBe(false);
});

describe('a protocol', () => {
  test('is told when a client comes, ends and is gone', async () => {
    const told: string[] = [];
    const { client } = await speak({
      open: (link) => void told.push(`open ${link.remote.address} ${link.peer}`),
      data: (_link, bytes) => void told.push(`data ${Buffer.from(bytes)}`),
      end: (link) => {
        told.push('end');
        link.end('bye');
      },
      close: (link) => void told.push(`close ${link.isClosed}`),
    });
    client.send('x').endSending();
    expect(await client.end()).toBe('bye');
    await vi.waitUntil(() => told.length === 4);
    expect(told).toEqual([`open ${HOST} null`, 'data x', 'end', 'close true']);
  });

  test('writes more than a client reads without losing any, and is told when it has been taken', async () => {
    const size = 8 * 1024 ** 2;
    let drains = 0;
    const { client } = await speak({
      data: (link) => {
        const piece = Buffer.alloc(64 * 1024, 'y');
        for (let sent = 0; sent < size; sent += piece.length) link.write(piece);
      },
      drain: (link) => {
        drains++;
        link.end();
      },
    });
    client.send('go');
    expect((await client.end()).length).toBe(size);
    expect(drains).toBe(1);
  });

  test('does not read a client that does not read, so an echo loses nothing', async () => {
    const { client } = await speak(echo);
    const sent = 12 * 1024 ** 2;
    client.send(Buffer.alloc(sent, 'z')).endSending();
    expect((await client.end()).length).toBe(sent);
  });

  test('cuts off a client for which too much waits', async () => {
    const closed = Promise.withResolvers<void>();
    const server = await start({
      port: 0,
      hostname: HOST,
      protocol: {
        maxBuffered: 1024 ** 2,
        data: (link) => {
          while (!link.isClosed) link.write(Buffer.alloc(64 * 1024));
        },
        close: () => closed.resolve(),
      },
    });
    const client = await RawClient.connect(server.port, { isPaused: true });
    client.send('go');
    await closed.promise;
    client.close();
  });

  test('has deadlines', async () => {
    const { client } = await speak({
      open: (link) => link.timeout(300),
      data: (link) => link.timeout(0),
      timeout: (link) => link.end('too late'),
    });
    expect(await client.end()).toBe('too late');
  });

  test('costs one connection if it throws', async () => {
    const { client, server } = await speak({
      data: () => {
        throw new Error('the protocol fails, as this test wants');
      },
    });
    await client.send('x').end();
    const other = await RawClient.connect(server.addresses[0]?.port ?? 0);
    other.close();
  });

  test('ends its clients when the server stops, in its own words', async () => {
    const { client, server } = await speak({ data: () => {}, stop: (link: Link) => link.end('server goes') });
    const stopped = server.stop();
    expect(await client.end()).toBe('server goes');
    client.close();
    await stopped;
  });
});

test('a Node without our binding says that it cannot tell who is at the other end of a Unix socket', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-peer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const unix = path.join(folder, 'socket');
  let said = '';
  const server = await serve({
    unix,
    handle(call) {
      try {
        said = JSON.stringify(call.peer);
      } catch (error) {
        said = (error as Error).message;
      }
      return reply(200);
    },
  }).ready;
  onTestFinished(() => server.stop(true));
  const client = await RawClient.connectUnix(unix);
  await client.send(get('/', 'Connection: close\r\n')).response();
  expect(said).toBe('peer credentials can only be read by the runtimes of vrypt-server, not by this Node');
});

test('what cannot be listened on is named', () => {
  const wanted = (options: object) => () => serve({ handle, ...options });
  expect(wanted({ listen: [] })).toThrow('listen must name at least one place');
  expect(wanted({ listen: { port: 1 }, port: 2 })).toThrow('listen and port must not be given together');
  expect(wanted({ listen: [{ port: 1 }, { port: 70_000 }] })).toThrow('listen[1].port must be a whole number from 0');
});
