/** Other clients over TCP: `ws`, Node's WebSocket and, if installed, Python's and Chromium. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocketClient, { type ClientOptions } from 'ws';
import type { PerMessageDeflate, SocketHandlers } from '../../src/websocket/handlers.ts';
import { ECHO, startSockets, TRANSPORTS } from './start-sockets.ts';

const run = promisify(execFile);
const SIZES = [0, 1, 16, 64, 125, 126, 1023, 1024, 4096, 8192, 65_535, 65_536, 131_072, 1 << 20];

/** A client of `ws` whose messages can be awaited one by one. */
class Peer {
  readonly client: WebSocketClient;
  readonly #inbox: { data: Buffer; isBinary: boolean }[] = [];
  #whenChanged = Promise.withResolvers<void>();
  #isClosed = false;

  private constructor(client: WebSocketClient) {
    this.client = client;
    client.on('message', (data, isBinary) => {
      this.#inbox.push({ data: data as Buffer, isBinary });
      this.#change();
    });
    client.on('close', () => {
      this.#isClosed = true;
      this.#change();
    });
  }

  static connect(url: string, options: ClientOptions = {}, protocols: string[] = []): Promise<Peer> {
    const peer = new Peer(new WebSocketClient(url, protocols, options));
    onTestFinished(() => peer.client.terminate());
    return new Promise((resolve, reject) => {
      peer.client.once('open', () => resolve(peer));
      peer.client.once('error', reject);
    });
  }

  async message(): Promise<{ data: Buffer; isBinary: boolean }> {
    for (;;) {
      const first = this.#inbox.shift();
      if (first !== undefined) return first;
      if (this.#isClosed) throw new Error('closed before a message arrived');
      await this.#whenChanged.promise;
    }
  }

  #change(): void {
    const { resolve } = this.#whenChanged;
    this.#whenChanged = Promise.withResolvers();
    resolve();
  }
}

/** Text that compresses like prose, not like zeros. */
function prose(length: number): string {
  const words = ['wire', 'frame', 'mask', 'größe', 'window', 'of', 'the', '{"id":', '日本'];
  let text = '';
  for (let at = 1; text.length < length; at = (at * 16_807) % 2_147_483_647)
    text += `${words[at % words.length]} ${at % 97} `;
  return text.slice(0, length);
}

describe.each(TRANSPORTS)('ws on the $transport transport', ({ open }) => {
  test('gets everything echoed', async () => {
    const { url } = await startSockets(ECHO, { open });
    const peer = await Peer.connect(url, { perMessageDeflate: false });
    for (const size of SIZES) {
      peer.client.send(prose(size));
      expect((await peer.message()).data.toString() === prose(size), `${size}`).toBe(true);
      peer.client.send(Buffer.alloc(size, size), { binary: true });
      const { data, isBinary } = await peer.message();
      expect(isBinary && data.equals(Buffer.alloc(size, size)), `${size}`).toBe(true);
    }
  });

  test('closes with code and reason, both ways', async () => {
    const told = Promise.withResolvers<string>();
    const handlers: SocketHandlers = {
      message: (socket) => socket.close(4002, 'enough'),
      close: (_socket, code, reason) => told.resolve(`${code} ${reason}`),
    };
    const { url } = await startSockets(handlers, { open });
    const peer = await Peer.connect(url);
    const closed = new Promise((resolve) => peer.client.once('close', (code, reason) => resolve(`${code} ${reason}`)));
    peer.client.send('x');
    expect(await closed).toBe('4002 enough');
    expect(await told.promise).toMatch(/^4002/);
  });

  test('agrees on a protocol', async () => {
    const { url } = await startSockets(ECHO, { open, protocols: ['mqtt', 'chat'] });
    expect((await Peer.connect(url, {}, ['x', 'chat', 'mqtt'])).client.protocol).toBe('chat');
  });

  test('is pinged and pings', async () => {
    const { url } = await startSockets({ open: (socket) => void socket.ping('from us'), message() {} }, { open });
    const client = new WebSocketClient(url);
    onTestFinished(() => client.terminate());
    const ping = await new Promise((resolve) => client.once('ping', (data: Buffer) => resolve(data.toString())));
    expect(ping).toBe('from us');
    const pong = new Promise((resolve) => client.once('pong', (data: Buffer) => resolve(data.toString())));
    client.ping('from ws');
    expect(await pong).toBe('from ws');
  });
});

/** The variations of Autobahn's chapters 12 and 13: which end keeps its context, and the windows. */
const OURS: readonly (readonly [name: string, deflate: boolean | PerMessageDeflate])[] = [
  ['shared', true],
  ['dedicated', { compress: 'dedicated', decompress: 'dedicated', threshold: 0 }],
  ['3KB', { compress: '3KB', decompress: '4KB', threshold: 0 }],
  ['64KB', { compress: '64KB', decompress: 'shared', threshold: 0 }],
  ['only read', { compress: false, decompress: 'dedicated' }],
];
const THEIRS: readonly (readonly [name: string, options: ClientOptions])[] = [
  ['nothing more', { perMessageDeflate: { threshold: 0 } }],
  ['no context of the server', { perMessageDeflate: { serverNoContextTakeover: true, threshold: 0 } }],
  [
    'no context at all',
    { perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 } },
  ],
  ['a window of 9 bits', { perMessageDeflate: { serverMaxWindowBits: 9, threshold: 0 } }],
  [
    'windows of 10 bits, no context',
    {
      perMessageDeflate: {
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 10,
        serverNoContextTakeover: true,
        threshold: 0,
      },
    },
  ],
];

describe.each(OURS)('permessage-deflate, %s', (_name, perMessageDeflate) => {
  test.each(THEIRS)('with a client that asks for %s', async (_other, options) => {
    const { url, errors } = await startSockets({ ...ECHO, perMessageDeflate });
    const peer = await Peer.connect(url, options);
    expect(peer.client.extensions).toContain('permessage-deflate');
    for (const size of SIZES.filter((length) => length <= 131_072)) {
      for (let turn = 0; turn < 3; turn++) peer.client.send(prose(size));
      for (let turn = 0; turn < 3; turn++)
        expect((await peer.message()).data.toString() === prose(size), `${size}`).toBe(true);
      peer.client.send(Buffer.from(prose(size)), { binary: true });
      expect((await peer.message()).data.equals(Buffer.from(prose(size))), `${size}`).toBe(true);
    }
    peer.client.send('not compressed', { compress: false });
    expect((await peer.message()).data.toString()).toBe('not compressed');
    peer.client.send('in ', { fin: false });
    peer.client.send('fragments');
    expect((await peer.message()).data.toString()).toBe('in fragments');
    expect(errors).toEqual([]);
  });
});

test('a compressed message that inflates beyond the limit closes with 1009', async () => {
  const { url } = await startSockets({ ...ECHO, perMessageDeflate: true, maxPayloadLength: 100_000 });
  const peer = await Peer.connect(url, { perMessageDeflate: { threshold: 0 } });
  const closed = new Promise((resolve) => peer.client.once('close', resolve));
  peer.client.send('a'.repeat(100_000));
  expect((await peer.message()).data).toHaveLength(100_000);
  peer.client.send('a'.repeat(100_001));
  expect(await closed).toBe(1009);
});

test("Node's WebSocket gets text and binary echoed, compressed and not", async () => {
  for (const perMessageDeflate of [false, true]) {
    const { url } = await startSockets({ ...ECHO, perMessageDeflate });
    const client = new WebSocket(url);
    client.binaryType = 'arraybuffer';
    onTestFinished(() => client.close());
    await new Promise((resolve) => client.addEventListener('open', resolve, { once: true }));
    const next = () =>
      new Promise<unknown>((resolve) =>
        client.addEventListener('message', ({ data }) => resolve(data), { once: true }),
      );
    for (const size of SIZES) {
      client.send(prose(size));
      expect((await next()) === prose(size), `${size}`).toBe(true);
      client.send(new Uint8Array(size).fill(size));
      expect(Buffer.from((await next()) as ArrayBuffer).equals(Buffer.alloc(size, size)), `${size}`).toBe(true);
    }
    const closed = new Promise<CloseEvent>((resolve) => client.addEventListener('close', resolve, { once: true }));
    client.close(4003, 'bye');
    expect(await closed).toMatchObject({ code: 4003, wasClean: true });
  }
});

const PYTHON = `
import asyncio, sys, websockets
async def main(url):
    for compression in (None, "deflate"):
        async with websockets.connect(url, max_size=None, compression=compression) as socket:
            for size in (0, 1, 125, 126, 65535, 65536, 1000000):
                await socket.send("é" * size)
                assert await socket.recv() == "é" * size
                await socket.send(bytes(size))
                assert await socket.recv() == bytes(size)
            await socket.send(["frag", "ments", ""])
            assert await socket.recv() == "fragments"
            await (await socket.ping())
        assert socket.close_code == 1000, socket.close_code
    print("good")
asyncio.run(main(sys.argv[1]))
`;

const hasPython = await run('/usr/bin/python3', ['-c', 'import websockets']).then(
  () => true,
  () => false,
);

test.runIf(hasPython)("Python's websockets has everything echoed", async () => {
  const { url } = await startSockets({
    ...ECHO,
    perMessageDeflate: { compress: 'dedicated', decompress: 'dedicated' },
  });
  const { stdout } = await run('/usr/bin/python3', ['-c', PYTHON, url]);
  expect(stdout).toBe('good\n');
});

const CHROMIUM = ['chromium-headless-shell', 'chromium'].map((name) => `/usr/bin/${name}`).find(existsSync);

const page = (url: string) => `<!doctype html><title>echo</title><img src="/until-done"><script>
const socket = new WebSocket(${JSON.stringify(url)}, ['chat']);
socket.binaryType = 'arraybuffer';
const sizes = ${JSON.stringify(SIZES)};
let at = 0;
const text = (size) => 'é'.repeat(size);
socket.onopen = () => socket.send(text(sizes[0]));
socket.onmessage = ({ data }) => {
  const size = sizes[at >> 1];
  const isGood = at % 2 === 0 ? data === text(size) : data.byteLength === size;
  if (!isGood) return socket.close(4999);
  at++;
  const next = sizes[at >> 1];
  if (next === undefined) socket.close(4004, 'done');
  else socket.send(at % 2 === 0 ? text(next) : new Uint8Array(next));
};
socket.onclose = ({ code, wasClean }) => {
  fetch('/done', { method: 'POST', body: ['closed', code, wasClean, socket.protocol, socket.extensions].join(' ') });
};
</script>`;

test.runIf(CHROMIUM !== undefined)('Chromium has everything echoed', { timeout: 60_000 }, async () => {
  const closed = Promise.withResolvers<string>();
  const { url } = await startSockets(
    { ...ECHO, perMessageDeflate: true, close: (_socket, code, reason) => closed.resolve(`${code} ${reason}`) },
    { protocols: ['chat'] },
  );
  let report = '';
  const done = Promise.withResolvers<void>();
  const site = createServer(async (request, response) => {
    if (request.url === '/done') {
      for await (const piece of request) report += piece;
      done.resolve();
    }
    // Chromium exits when the page has loaded, which is when its picture has arrived.
    if (request.url === '/until-done') await done.promise;
    response.end(request.url === '/' ? page(url) : '');
  });
  onTestFinished(() => void site.close());
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  const { port } = site.address() as { port: number };
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom'];
  await run(CHROMIUM ?? '', [...flags, `http://127.0.0.1:${port}/`]);
  expect(await closed.promise).toBe('4004 done');
  expect(report).toMatch(/^closed 4004 true chat permessage-deflate/);
});
