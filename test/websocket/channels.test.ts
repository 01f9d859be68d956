import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ChannelNews, Channels, type Subscriber } from '../../src/websocket/channels.ts';
import type { Socket, SocketHandlers } from '../../src/websocket/handlers.ts';
import { openThreadRelay } from '../../src/websocket/thread-relay.ts';
import { FrameClient, say } from './frame-client.ts';
import { clientFrame, closeFrame } from './frames.ts';
import { startSockets, TRANSPORTS } from './start-sockets.ts';

/** A room per topic: "join x", "leave x", "say x y". */
const CHAT: SocketHandlers = {
  message(socket, data) {
    const [verb, topic = '', ...words] = String(data).split(' ');
    if (verb === 'join') socket.subscribe(topic);
    if (verb === 'leave') socket.unsubscribe(topic);
    if (verb === 'say') socket.send(`${socket.publish(topic, words.join(' '))}`);
    if (verb === 'topics') socket.send(`${socket.subscriptions.join()} ${socket.isSubscribed(topic)}`);
  },
};

const text = (value: string) => clientFrame(0x81, value);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(TRANSPORTS)('channels on the $transport transport', ({ open }) => {
  test('a message goes to all subscribers of its topic except its sender', async () => {
    const { port, sockets } = await startSockets(CHAT, { open });
    const clients = [await FrameClient.open(port), await FrameClient.open(port), await FrameClient.open(port)] as const;
    clients[0].send(text('join a'));
    clients[1].send(text('join a'));
    clients[1].send(text('join a'));
    clients[2].send(text('join b'));
    await until(() => sockets.channels.subscriberCount('a') === 2 && sockets.channels.subscriberCount('b') === 1);
    clients[0].send(text('say a hello there'));
    expect(say(await clients[0].frame())).toBe('text "11"');
    expect(say(await clients[1].frame())).toBe('text "hello there"');
    clients[2].send(text('say c nobody'));
    expect(say(await clients[2].frame())).toBe('text "0"');
    clients[1].send(text('topics a'));
    expect(say(await clients[1].frame())).toBe('text "a true"');
    clients[1].send(text('leave a'));
    clients[1].send(text('topics a'));
    expect(say(await clients[1].frame())).toBe('text " false"');
    expect(sockets.channels.publish('a', Buffer.from([1, 2]))).toBe(2);
    expect(say(await clients[0].frame())).toBe('binary 0102');
  });

  test('with publishToSelf its sender gets it too', async () => {
    const { port } = await startSockets({ ...CHAT, publishToSelf: true }, { open });
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([text('join a'), text('say a x')]));
    expect((await client.frames(2)).map(say)).toEqual(['text "x"', 'text "1"']);
  });

  test.each([
    ['a close frame', (client: FrameClient) => client.send(closeFrame(1000))],
    ['a reset', (client: FrameClient) => client.socket.resetAndDestroy()],
  ])('a socket that ends by %s has left all topics', async (_name, finish) => {
    const { port, sockets } = await startSockets(CHAT, { open });
    const client = await FrameClient.open(port);
    client.send(Buffer.concat([text('join a'), text('join b')]));
    await until(() => sockets.channels.subscriberCount('b') === 1);
    finish(client);
    await until(() => sockets.channels.subscriberCount('a') + sockets.channels.subscriberCount('b') === 0);
  });

  test('a message is compressed only for sockets that negotiated compression', async () => {
    const { port, sockets } = await startSockets({ ...CHAT, perMessageDeflate: true }, { open });
    const plain = await FrameClient.open(port);
    const deflating = await FrameClient.open(port, 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
    for (const client of [plain, deflating]) client.send(text('join a'));
    await until(() => sockets.channels.subscriberCount('a') === 2);
    for (const compress of [undefined, true, false]) {
      for (const message of ['Hello', 'Hello'.repeat(1000)]) {
        sockets.channels.publish('a', message, compress);
        expect((await plain.frame()).payload.toString()).toBe(message);
        const frame = await deflating.frame();
        const isCompressed = compress === true || (compress === undefined && message.length > 1024);
        expect(frame.first).toBe(isCompressed ? 0xc1 : 0x81);
        if (isCompressed) expect(frame.payload.length).toBeLessThan(message.length / 3 + 7);
      }
    }
  });

  test('500 messages to 20 subscribers, some of them slow, arrive complete and in order', async () => {
    const { port, sockets } = await startSockets(CHAT, { open });
    const clients = await Promise.all(Array.from({ length: 20 }, () => FrameClient.open(port)));
    for (const client of clients) client.send(text('join a'));
    await until(() => sockets.channels.subscriberCount('a') === 20);
    for (const client of clients.slice(0, 5)) client.socket.pause();
    const filler = 'x'.repeat(500);
    for (let at = 0; at < 500; at++) {
      sockets.channels.publish('a', `${at} ${filler}`);
      if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const client of clients) client.socket.resume();
    for (const client of clients) {
      const frames = await client.frames(500);
      expect(frames.every(({ payload }, at) => payload.toString() === `${at} ${filler}`)).toBe(true);
    }
  });
});

describe('channels across workers', () => {
  class Listener implements Subscriber {
    readonly heard: string[] = [];
    deliver(message: { bytes: Uint8Array }): boolean {
      this.heard.push(Buffer.from(message.bytes).toString());
      return true;
    }
  }

  /** Workers that reach each other through a queue, as threads do. */
  function connected(count: number) {
    const all: Channels[] = [];
    for (let index = 0; index < count; index++) {
      const send = (news: ChannelNews) =>
        void setImmediate(() => {
          for (const [other, channels] of all.entries()) if (other !== index) channels.receive(structuredClone(news));
        });
      all.push(new Channels(`worker ${index}`, { send }));
    }
    return all as [Channels, Channels, ...Channels[]];
  }

  test('a message reaches every subscriber everywhere once', async () => {
    const [first, second, third] = connected(3) as unknown as [Channels, Channels, Channels];
    const listeners = [first, second, second, third].map((channels) => {
      const listener = new Listener();
      channels.subscribe(listener, 'news');
      return listener;
    });
    first.publish('news', 'one');
    second.publish('news', new Uint8Array([0x74, 0x77, 0x6f]));
    await until(() => listeners.every(({ heard }) => heard.length === 2));
    for (const { heard } of listeners) expect(heard.toSorted()).toEqual(['one', 'two']);
  });

  test('subscribers are counted everywhere, even those of a late worker and of one that has gone', async () => {
    const [first, second, third] = connected(3) as unknown as [Channels, Channels, Channels];
    const listener = new Listener();
    first.subscribe(listener, 'news');
    second.subscribe(listener, 'news');
    second.subscribe(new Listener(), 'news');
    await until(() => [first, second, third].every((channels) => channels.subscriberCount('news') === 3));
    expect(third.publish('news', 'x')).toBe(1);
    second.unsubscribe(listener, 'news');
    await until(() => third.subscriberCount('news') === 2);
    second.close();
    await until(() => third.subscriberCount('news') === 1);
    // A worker that starts late asks, and the others answer.
    third.receive({ kind: 'bye', from: 'worker 0' });
    expect(third.subscriberCount('news')).toBe(0);
    first.receive({ kind: 'hello', from: 'worker 2' });
    await until(() => third.subscriberCount('news') === 1);
  });

  test('threads of a process reach each other', async () => {
    const name = `channels of ${process.pid}`;
    const code = `
      const { Channels } = await import(${JSON.stringify(new URL('../../src/websocket/channels.ts', import.meta.url).href)});
      const { openThreadRelay } = await import(${JSON.stringify(new URL('../../src/websocket/thread-relay.ts', import.meta.url).href)});
      const { parentPort, workerData } = await import('node:worker_threads');
      let channels;
      const relay = openThreadRelay(workerData, (news) => channels?.receive(news));
      channels = new Channels('thread', relay);
      const heard = { deliver(message) { parentPort.postMessage(Buffer.from(message.bytes).toString()); return true; } };
      channels.subscribe(heard, 'news');
      parentPort.on('message', (text) => channels.publish('news', text));
      parentPort.postMessage('ready');
    `;
    let channels: Channels | null = null;
    const relay = openThreadRelay(name, (news) => channels?.receive(news));
    onTestFinished(() => relay.close());
    let server: Socket | null = null;
    const started = await startSockets(
      {
        open(socket) {
          server = socket;
          socket.subscribe('news');
        },
        message() {},
      },
      { relay, workerName: 'main' },
    );
    channels = started.sockets.channels;
    const client = await FrameClient.open(started.port);
    await until(() => server !== null);
    const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: name });
    onTestFinished(async () => void (await thread.terminate()));
    const fromThread: string[] = [];
    thread.on('message', (message: string) => fromThread.push(message));
    await until(() => started.sockets.channels.subscriberCount('news') === 2);
    started.sockets.channels.publish('news', 'from main');
    await until(() => fromThread.includes('from main'));
    thread.postMessage('from thread');
    expect(say(await client.frame())).toBe('text "from main"');
    expect(say(await client.frame())).toBe('text "from thread"');
    // No worker receives its own message again.
    expect(fromThread.filter((message) => message === 'from main')).toHaveLength(1);
  });
});
