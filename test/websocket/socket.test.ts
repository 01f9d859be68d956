import { describe, expect, test } from 'vitest';
import type { Socket, SocketHandlers } from '../../src/websocket/handlers.ts';
import { FrameClient, say } from './frame-client.ts';
import { clientFrame, closeFrame, fragments } from './frames.ts';
import { ECHO, startSockets, TRANSPORTS } from './start-sockets.ts';

const MIB = 1 << 20;

/** Handlers that record their calls, and a promise of the close. */
function recording(handlers: Partial<SocketHandlers> = {}) {
  const told: string[] = [];
  const closed = Promise.withResolvers<void>();
  const all: SocketHandlers = {
    message: (_socket, data) => void told.push(`message ${data}`),
    ...handlers,
    close(_socket, code, reason) {
      told.push(`close ${code} ${reason}`.trim());
      closed.resolve();
    },
  };
  return { told, closed: closed.promise, handlers: all };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(TRANSPORTS)('a socket on the $transport transport', ({ open }) => {
  test('echoes texts, binary and the empty message', async () => {
    const { port, errors } = await startSockets(ECHO, { open });
    const client = await FrameClient.open(port);
    expect(client.head).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    client.send(
      Buffer.concat([clientFrame(0x81, 'añ日😀'), clientFrame(0x82, Buffer.from([0, 255])), clientFrame(0x81)]),
    );
    expect((await client.frames(3)).map(say)).toEqual(['text "añ日😀"', 'binary 00ff', 'text ""']);
    expect(errors).toEqual([]);
  });

  test('reads what arrived with the request, after open', async () => {
    const { handlers, told } = recording({
      open: (socket) => void socket.send('welcome'),
      message: (socket, data) => void socket.send(`got ${data}`),
    });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port, '', clientFrame(0x81, 'early'));
    expect((await client.frames(2)).map(say)).toEqual(['text "welcome"', 'text "got early"']);
    expect(told).toEqual([]);
  });

  test.each([65_535, 65_536, 200_000, 3 * MIB])('echoes %i bytes', async (length) => {
    const { port } = await startSockets(ECHO, { open });
    const client = await FrameClient.open(port);
    const payload = Buffer.alloc(length);
    for (let at = 0; at < length; at++) payload[at] = (at * 13) & 0xff;
    client.send(clientFrame(0x82, payload));
    const frame = await client.frame();
    expect(frame.first).toBe(0x82);
    expect(frame.payload.equals(payload)).toBe(true);
    client.send(clientFrame(0x81, 'é'.repeat(length / 2)));
    expect((await client.frame()).payload.equals(Buffer.from('é'.repeat(length / 2)))).toBe(true);
  });

  test('delivers binary messages in an ArrayBuffer of their own', async () => {
    const kept: Buffer[] = [];
    const { port } = await startSockets(
      {
        message(socket, data) {
          kept.push(data as Buffer);
          socket.send('ok');
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    for (const length of [0, 10, 64, 65, 5000, 100_000]) {
      client.send(clientFrame(0x82, Buffer.alloc(length, length & 0xff)));
      await client.frame();
    }
    client.send(fragments(2, [Buffer.alloc(3, 1), Buffer.alloc(5, 1)]));
    await client.frame();
    expect(kept.map(({ length }) => length)).toEqual([0, 10, 64, 65, 5000, 100_000, 8]);
    for (const bytes of kept) {
      expect(bytes.buffer.byteLength).toBe(bytes.length);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
    }
  });

  test('delivers binary messages in the requested form', async () => {
    const kinds: string[] = [];
    const { port } = await startSockets(
      {
        open: (socket) => {
          socket.binaryType = 'arraybuffer';
        },
        message(socket, data) {
          kinds.push(Object.prototype.toString.call(data), `${Buffer.isBuffer(data)}`);
          socket.binaryType = 'uint8array';
          socket.send(data);
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([clientFrame(0x82, 'a'), clientFrame(0x82, 'b')]));
    expect((await client.frames(2)).map(say)).toEqual(['binary 61', 'binary 62']);
    expect(kinds).toEqual(['[object ArrayBuffer]', 'false', '[object Uint8Array]', 'false']);
  });

  test('answers pings, reports pings and pongs', async () => {
    const { told, handlers } = recording({
      ping: (_socket, data) => void told.push(`ping ${data}`),
      pong: (socket, data) => {
        told.push(`pong ${data}`);
        socket.ping('p');
      },
    });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([clientFrame(0x89, 'one'), clientFrame(0x89), clientFrame(0x8a, 'two')]));
    expect((await client.frames(3)).map(say)).toEqual(['pong "one"', 'pong ""', 'ping "p"']);
    expect(told).toEqual(['ping one', 'ping ', 'pong two']);
  });

  test('sends ArrayBuffers, views and parts of them', async () => {
    const { port } = await startSockets(
      {
        open(socket) {
          const bytes = new Uint8Array([1, 2, 3, 4]);
          socket.send(bytes.buffer);
          socket.send(bytes.subarray(1, 3));
          socket.send(new DataView(bytes.buffer, 2));
          socket.sendBinary(new Uint16Array([0x0201]));
          socket.sendText('t');
        },
        message() {},
      },
      { open },
    );
    const client = await FrameClient.open(port);
    const expected = ['binary 01020304', 'binary 0203', 'binary 0304', 'binary 0102', 'text "t"'];
    expect((await client.frames(5)).map(say)).toEqual(expected);
  });

  test('what a program changes after send does not change what is sent', async () => {
    const { port } = await startSockets(
      {
        message(socket) {
          const bytes = Buffer.alloc(4 * MIB, 1);
          socket.send(bytes);
          bytes.fill(2);
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.send(clientFrame(0x81, 'go'));
    expect((await client.frame()).payload.equals(Buffer.alloc(4 * MIB, 1))).toBe(true);
  });

  test('ends with the code of the client', async () => {
    const { told, closed, handlers } = recording();
    const { port, sockets } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([closeFrame(4000, 'tschüß'), clientFrame(0x81, 'too late')]));
    expect((await client.end()).map(say)).toEqual(['close 4000']);
    await closed;
    expect(told).toEqual(['close 4000 tschüß']);
    while (sockets.count > 0) await turns(1);
  });

  test('reports 1005 for a close frame without a code, and answers it in kind', async () => {
    const { told, closed, handlers } = recording();
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.send(clientFrame(0x88));
    expect((await client.end()).map(say)).toEqual(['close']);
    await closed;
    expect(told).toEqual(['close 1005']);
  });

  test('closes by itself, waits for the answer and accepts no more messages', async () => {
    const { told, closed, handlers } = recording({
      open(socket) {
        told.push(`state ${socket.readyState}`);
        socket.close(4001, 'bye');
        told.push(`state ${socket.readyState}`, `send ${socket.send('x')}`);
      },
    });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    expect(say(await client.frame())).toBe('close 4001');
    client.send(Buffer.concat([clientFrame(0x81, 'late'), closeFrame(4001)]));
    await closed;
    await client.end();
    expect(told).toEqual(['state 1', 'state 2', 'send 0', 'close 4001']);
  });

  test('a client that never answers our close frame is cut off', async () => {
    const { told, closed, handlers } = recording({ open: (socket) => socket.close() });
    const { port, sockets, clock } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    expect(say(await client.frame())).toBe('close 1000');
    clock.now = 9999;
    expect(sockets.onTick()).toBe(true);
    clock.now = 10_000;
    expect(sockets.onTick()).toBe(false);
    await closed;
    await client.end();
    expect(told).toEqual(['close 1006']);
  });

  test('a client that never ends after the handshake is cut off', async () => {
    const { closed, handlers } = recording();
    const { port, sockets, clock } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.send(closeFrame(1000));
    await closed;
    expect(sockets.count).toBe(1);
    clock.now = 10_000;
    sockets.onTick();
    expect(sockets.count).toBe(0);
  });

  test.each([
    ['FIN', (client: FrameClient) => client.socket.end()],
    ['RST', (client: FrameClient) => client.socket.resetAndDestroy()],
  ])('tells 1006 where the connection ends by %s', async (_name, finish) => {
    const { told, closed, handlers } = recording();
    const { port, sockets } = await startSockets(handlers, { open });
    finish(await FrameClient.open(port));
    await closed;
    expect(told).toEqual(['close 1006']);
    expect(sockets.count).toBe(0);
  });

  test('terminate ends at once', async () => {
    const { told, closed, handlers } = recording({
      message(socket) {
        socket.terminate();
        told.push(`send ${socket.send('x')}`, `state ${socket.readyState}`);
        socket.close();
        socket.ping();
      },
    });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([clientFrame(0x81, 'a'), clientFrame(0x81, 'b')]));
    expect(await client.end()).toEqual([]);
    await closed;
    expect(told).toEqual(['close 1006', 'send 0', 'state 3']);
  });

  test.each([
    ['nonsense', clientFrame(0x83), 1002, {}],
    ['a text that is not UTF-8', clientFrame(0x81, Buffer.from([0xff])), 1007, {}],
    ['a message above the limit', clientFrame(0x82, Buffer.alloc(11)), 1009, { maxPayloadLength: 10 }],
  ])('closes after %s, having answered what came before', async (_name, bytes, code, options) => {
    const { told, closed, handlers } = recording({ ...ECHO, ...options });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([clientFrame(0x81, 'good'), bytes, clientFrame(0x81, 'never read')]));
    expect((await client.end()).map(say)).toEqual(['text "good"', `close ${code}`]);
    await closed;
    expect(told[0]).toMatch(`close ${code}`);
    expect(told).toHaveLength(1);
  });

  test('errors and rejections of handlers are reported, and the socket lives on', async () => {
    const { port, errors } = await startSockets(
      {
        open: () => {
          throw new Error('open');
        },
        message(socket, data) {
          if (data === 'throw') throw new Error('message');
          if (data === 'reject') return Promise.reject(new Error('later'));
          socket.send(data);
          return undefined;
        },
        close: async () => {
          throw new Error('close');
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.send(Buffer.concat(['throw', 'reject', 'fine'].map((text) => clientFrame(0x81, text))));
    expect(say(await client.frame())).toBe('text "fine"');
    client.send(closeFrame(1000));
    await client.end();
    await turns(2);
    expect(errors.map((error) => (error as Error).message)).toEqual(['open', 'message', 'later', 'close']);
  });

  test('asynchronous handlers start in the order of the messages', async () => {
    const begun: string[] = [];
    const { port } = await startSockets(
      {
        async message(socket, data) {
          begun.push(data as string);
          await turns(data === 'first' ? 5 : 1);
          socket.send(`done ${data}`);
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([clientFrame(0x81, 'first'), clientFrame(0x81, 'second')]));
    expect((await client.frames(2)).map(say)).toEqual(['text "done second"', 'text "done first"']);
    expect(begun).toEqual(['first', 'second']);
  });

  test('refuses wrong arguments', async () => {
    const failed: string[] = [];
    const attempt = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        failed.push((error as Error).message);
      }
    };
    const { port } = await startSockets(
      {
        open(socket) {
          for (const code of [999, 1005, 1006, 5000, 1000.5]) attempt(() => socket.close(code));
          attempt(() => socket.ping('x'.repeat(126)));
          socket.close(1000, 'x'.repeat(500));
        },
        message() {},
      },
      { open },
    );
    const client = await FrameClient.open(port);
    const frame = await client.frame();
    expect(say(frame)).toBe('close 1000');
    expect(frame.payload).toHaveLength(125);
    expect(failed).toHaveLength(6);
    expect(failed[0]).toMatch('got 999');
  });
});

describe.each(TRANSPORTS)('deadlines on the $transport transport', ({ open }) => {
  test('a silent client is pinged at half of the idle timeout, and cut off at the end of it', async () => {
    const { told, closed, handlers } = recording({ idleTimeout: 100 });
    const { port, sockets, clock } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    clock.now = 49_999;
    sockets.onTick();
    clock.now = 50_000;
    sockets.onTick();
    sockets.onTick();
    expect(say(await client.frame())).toBe('ping ""');
    client.send(clientFrame(0x8a));
    client.send(clientFrame(0x89, 'sync'));
    expect(say(await client.frame())).toBe('pong "sync"');
    clock.now = 149_999;
    sockets.onTick();
    expect(told).toEqual([]);
    clock.now = 150_000;
    sockets.onTick();
    await closed;
    expect(told).toEqual(['close 1006']);
  });

  test('without pings, a client that takes what is sent counts as alive', async () => {
    let server: Socket | undefined;
    const { told, handlers } = recording({
      idleTimeout: 10,
      sendPings: false,
      open: (socket) => {
        server = socket;
      },
    });
    const { port, sockets, clock } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    for (clock.now = 5000; clock.now <= 30_000; clock.now += 5000) {
      server?.send('x');
      sockets.onTick();
    }
    expect(told).toEqual([]);
    clock.now = 40_000;
    sockets.onTick();
    expect(told).toEqual(['close 1006']);
    expect((await client.end()).map(say)).toEqual(Array(6).fill('text "x"'));
  });

  test('an idle timeout of 0 means no timeout', async () => {
    const { told, handlers } = recording({ idleTimeout: 0 });
    const { port, sockets, clock } = await startSockets(handlers, { open });
    await FrameClient.open(port);
    clock.now = 1e12;
    sockets.onTick();
    expect(told).toEqual([]);
  });

  test('a reader that takes nothing is cut off, whatever it sends', async () => {
    const { told, closed, handlers } = recording({
      idleTimeout: 10,
      message: (socket) => void socket.send(Buffer.alloc(8 * MIB)),
    });
    const { port, sockets, clock } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.socket.pause();
    client.send(clientFrame(0x81, 'much'));
    for (let tick = 0; tick < 200 && told.length === 0; tick++) {
      await turns(5);
      client.send(clientFrame(0x8a));
      clock.now += 250;
      sockets.onTick();
    }
    await closed;
    expect(told).toEqual(['close 1006']);
  });
});

describe.each(TRANSPORTS)('a slow reader on the $transport transport', ({ open }) => {
  test('send returns -1 for a message that waits and 0 beyond the limit, and drain follows when all is read', async () => {
    const results: number[] = [];
    const drained = Promise.withResolvers<number>();
    const { port } = await startSockets(
      {
        backpressureLimit: 8 * MIB,
        message(socket) {
          const piece = Buffer.alloc(MIB);
          for (let count = 0; count < 40; count++) results.push(socket.send(piece));
          expect(socket.bufferedAmount).toBeLessThanOrEqual(8 * MIB + 100);
          expect(socket.bufferedAmount).toBeGreaterThan(6 * MIB);
          expect(socket.getBufferedAmount()).toBe(socket.bufferedAmount);
        },
        drain: (socket) => drained.resolve(socket.bufferedAmount),
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.socket.pause();
    client.send(clientFrame(0x81, 'go'));
    while (results.length < 40) await turns(1);
    const sent = results.filter((result) => result !== 0);
    expect(results).toContain(0);
    expect(results).toContain(-1);
    client.socket.resume();
    const frames = await client.frames(sent.length);
    expect(frames.every(({ payload }) => payload.length === MIB)).toBe(true);
    expect(await drained.promise).toBe(0);
  });

  test('with closeOnBackpressureLimit it is disconnected', async () => {
    const { told, closed, handlers } = recording({
      backpressureLimit: MIB,
      closeOnBackpressureLimit: true,
      message(socket) {
        while (socket.readyState === 1) socket.send(Buffer.alloc(MIB / 2));
      },
    });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.socket.pause();
    client.send(clientFrame(0x81, 'go'));
    await closed;
    expect(told).toEqual(['close 1006']);
  });

  test('an echo loses nothing: reading stops until the client reads', async () => {
    let most = 0;
    const { port } = await startSockets(
      {
        backpressureLimit: MIB,
        message(socket, data) {
          expect(socket.send(data)).not.toBe(0);
          most = Math.max(most, socket.bufferedAmount);
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.socket.pause();
    const count = 3000;
    for (let at = 0; at < count; at++) client.send(clientFrame(0x82, Buffer.alloc(10_000, at & 0xff)));
    await turns(200);
    client.socket.resume();
    const frames = await client.frames(count);
    expect(frames.every(({ payload }, at) => payload.length === 10_000 && payload[0] === (at & 0xff))).toBe(true);
    expect(most).toBeLessThanOrEqual(MIB);
  });

  test('only the last of many pings is answered', async () => {
    let server: Socket | undefined;
    const { port } = await startSockets(
      {
        message(socket) {
          server = socket;
          socket.send(Buffer.alloc(12 * MIB));
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.socket.pause();
    client.send(clientFrame(0x81, 'go'));
    while (server === undefined) await turns(1);
    const before = server.bufferedAmount;
    for (let at = 0; at < 2000; at++) client.send(clientFrame(0x89, `${at}`));
    await turns(100);
    expect(server.bufferedAmount - before).toBeLessThanOrEqual(0);
    client.socket.resume();
    await client.frame();
    let last = '';
    while (last !== 'pong "1999"') last = say(await client.frame());
  });

  test('a close waits its turn after what was sent', async () => {
    const { told, closed, handlers } = recording({
      message(socket) {
        socket.send(Buffer.alloc(8 * MIB));
        socket.send('last words');
        socket.close(1000);
      },
    });
    const { port } = await startSockets(handlers, { open });
    const client = await FrameClient.open(port);
    client.socket.pause();
    client.send(clientFrame(0x81, 'go'));
    await turns(50);
    client.socket.resume();
    const frames = await client.frames(3);
    expect(frames.slice(1).map(say)).toEqual(['text "last words"', 'close 1000']);
    client.send(closeFrame(1000));
    await closed;
    await client.end();
    expect(told).toEqual(['close 1000']);
  });
});

describe.each(TRANSPORTS)('corking on the $transport transport', ({ open }) => {
  test('keeps the order of what two corked sockets send', async () => {
    const all: Socket[] = [];
    const { port } = await startSockets(
      {
        open: (socket) => void all.push(socket),
        message(socket) {
          const result = socket.cork((self) => {
            for (const other of all) {
              other.cork(() => {
                other.send('a');
                self.send('b');
                self.send('x'.repeat(30_000));
                other.send(Buffer.alloc(100_000, 1));
                other.send('c');
              });
            }
            return 'result';
          });
          socket.send(result);
        },
      },
      { open },
    );
    const first = await FrameClient.open(port);
    const second = await FrameClient.open(port);
    first.send(clientFrame(0x81, 'go'));
    const long = `text ${JSON.stringify('x'.repeat(30_000))}`;
    const binary = `binary ${'01'.repeat(100_000)}`;
    const own = ['text "a"', 'text "b"', long, binary, 'text "c"', 'text "b"', long, 'text "result"'];
    expect((await first.frames(8)).map(say)).toEqual(own);
    expect((await second.frames(3)).map(say)).toEqual(['text "a"', binary, 'text "c"']);
  });

  test('sends what was collected if the callback throws', async () => {
    const { port, errors } = await startSockets(
      {
        message(socket) {
          socket.cork(() => {
            socket.send('before');
            throw new Error('in cork');
          });
        },
      },
      { open },
    );
    const client = await FrameClient.open(port);
    client.send(clientFrame(0x81, 'go'));
    expect(say(await client.frame())).toBe('text "before"');
    expect(errors).toHaveLength(1);
  });
});

test('a drain closes every client with 1001', async () => {
  const { told, handlers } = recording();
  const { port, sockets } = await startSockets(handlers);
  const clients = [await FrameClient.open(port), await FrameClient.open(port)];
  while (sockets.count < 2) await turns(1);
  sockets.closeAll();
  for (const client of clients) {
    expect(say(await client.frame())).toBe('close 1001');
    client.send(closeFrame(1001));
    await client.end();
  }
  while (sockets.count > 0) await turns(1);
  expect(told).toEqual(['close 1001', 'close 1001']);
});
