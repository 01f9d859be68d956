import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { Handler } from '../../src/engine/call.ts';
import { type HandedOver, HandOverReply, type NewOwner } from '../../src/engine/hand-over.ts';
import { stream } from '../../src/engine/stream-reply.ts';
import { json, reply } from '../../src/http/made-reply.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

const GET_1_0 = 'GET / HTTP/1.0\r\n\r\n';

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function* letters(...pieces: string[]): AsyncGenerator<string> {
  for (const piece of pieces) {
    await turn();
    yield piece;
  }
}

describe.each(TRANSPORTS)('answers made for one request, on the $transport transport', ({ open }) => {
  test('have their status, fields and content, in ASCII, UTF-8 or bytes', async () => {
    const contents = ['ascii', 'é€', new Uint8Array([0, 255]), ''];
    let next = 0;
    const handler: Handler = () => reply(201, { 'X-A': ['1', '2'] }, contents[next++]);
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    const answers = await client.send(GET.repeat(4)).responses(4);
    expect(answers.map(({ body }) => Buffer.from(body, 'latin1').toString('hex'))).toEqual(
      contents.map((content) => Buffer.from(content).toString('hex')),
    );
    expect(answers[0]?.head).toMatch(/^HTTP\/1\.1 201 Created\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 5\r\nDate: /);
  });

  test('are JSON', async () => {
    const { connect } = await startEngine(open, { handler: () => json({ a: 'é' }, 202) });
    const { status, head, body } = await (await connect()).send(GET).response();
    expect({ status, body: Buffer.from(body, 'latin1').toString() }).toEqual({ status: 202, body: '{"a":"é"}' });
    expect(head).toContain('Content-Type: application/json\r\n');
  });

  test('to HEAD have no content', async () => {
    const { connect } = await startEngine(open, { handler: () => reply(200, {}, 'four') });
    const client = await connect();
    client.send(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${GET.replace('Host', 'Connection: close\r\nHost')}`);
    const text = await client.end();
    expect(text.match(/Content-Length: 4/g)).toHaveLength(2);
    expect(text.match(/four/g)).toHaveLength(1);
  });
});

describe.each(TRANSPORTS)('a streamed answer on the $transport transport', ({ open }) => {
  test('is chunked, and the next request is answered after it', async () => {
    const handler: Handler = () => stream(200, { 'X-A': '1' }, letters('ab', '', 'cde'));
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send(`${GET}${GET.replace('Host', 'Connection: close\r\nHost')}`);
    const text = await client.end();
    const chunks = '\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n';
    expect(text.split(chunks)).toHaveLength(3);
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\nDate: .*\r\nConnection: keep-alive/,
    );
  });

  test('of known length says so, and must be that long', async () => {
    const lengths = [5, 4, 6];
    let next = 0;
    const handler: Handler = () => stream(200, {}, letters('ab', 'cde'), lengths[next++]);
    const { connect, errors } = await startEngine(open, { handler });
    const [right, long, short] = [await connect(), await connect(), await connect()];
    expect((await right.send(GET).response()).body).toBe('abcde');
    await long.send(GET).end();
    await short.send(GET).end();
    expect(long.received).not.toContain('abcde');
    expect(short.received).toContain('Content-Length: 6');
    expect(errors.map(String)).toEqual([
      'RangeError: a stream must not be longer than the length it was given',
      'RangeError: a stream must be as long as it said: 1 bytes are missing',
    ]);
  });

  test('to HTTP/1.0 ends with the connection', async () => {
    const { connect } = await startEngine(open, { handler: () => stream(200, {}, letters('ab', 'cd')) });
    const text = await (await connect()).send(GET_1_0).end();
    expect(text).toMatch(/Connection: close\r\n\r\nabcd$/);
    expect(text).not.toContain('Transfer-Encoding');
  });

  test('to HEAD has no content, and its source is not started', async () => {
    let isStarted = false;
    const handler: Handler = () =>
      stream(200, {}, () => {
        isStarted = true;
      });
    const { connect } = await startEngine(open, { handler });
    const text = await (await connect()).send('HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').end();
    expect(text).toMatch(/Transfer-Encoding: chunked\r\n(.*\r\n)*\r\n$/);
    expect(isStarted).toBe(false);
  });

  test('asks for the next piece once the last one has been sent', async () => {
    const PIECE = Buffer.alloc(256 * 1024, 'x');
    let made = 0;
    const source = async function* () {
      for (; made < 100; made++) yield PIECE;
    };
    const { connect } = await startEngine(open, { handler: () => stream(200, {}, source(), 100 * PIECE.length) });
    const client = await connect({ isPaused: true });
    client.send(GET);
    for (let i = 0; i < 100; i++) await turn();
    expect(made).toBeLessThan(60);
    client.socket.resume();
    expect((await client.response()).body).toHaveLength(100 * PIECE.length);
  });

  test('is written by a function, which waits for the kernel', async () => {
    const handler: Handler = () =>
      stream(200, {}, async (out) => {
        for (let i = 0; i < 40; i++) {
          const taken = out.write('y'.repeat(256 * 1024));
          if (taken !== true) await taken;
        }
      });
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send(GET.replace('Host', 'Connection: close\r\nHost'));
    const text = await client.end();
    expect(text.match(/y/g)).toHaveLength(40 * 256 * 1024);
    expect(text).toMatch(/\r\n0\r\n\r\n$/);
  });

  test.each(['before', 'after'])('whose source throws %s its first piece is cut off', async (when) => {
    const handler: Handler = () =>
      stream(200, {}, async (out) => {
        if (when === 'after') out.write('a');
        throw new Error('no');
      });
    const { connect, errors } = await startEngine(open, { handler });
    const client = await connect();
    await client.send(GET).end();
    expect(client.received).not.toContain('0\r\n\r\n');
    expect(errors).toEqual([new Error('no')]);
  });

  test('whose client goes away ends its source, and its signal aborts', async () => {
    const ended = Promise.withResolvers<string>();
    const aborted = Promise.withResolvers<void>();
    const handler: Handler = (call) => {
      call.signal.addEventListener('abort', () => aborted.resolve());
      const source = async function* () {
        try {
          for (;;) {
            await turn();
            yield 'tick';
          }
        } finally {
          ended.resolve('ended');
        }
      };
      return stream(200, {}, source());
    };
    const { connect, engine, errors } = await startEngine(open, { handler });
    const client = await connect();
    client.send(GET);
    while (!client.received.includes('tick')) await turn();
    client.reset();
    expect(await ended.promise).toBe('ended');
    await aborted.promise;
    await connectionsBecome(engine, 0);
    expect(errors).toEqual([]);
  });

  test('and its request’s content flow at the same time', async () => {
    const handler: Handler = (call) => stream(200, {}, call.body);
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    while (!client.received.includes('1\r\na\r\n')) await turn();
    client.send('2\r\nbc\r\n');
    while (!client.received.includes('2\r\nbc\r\n')) await turn();
    client.send(`0\r\n\r\n${GET.replace('Host', 'Connection: close\r\nHost')}`);
    const text = await client.end();
    expect(text.match(/\r\n0\r\n\r\n/g)).toHaveLength(2);
  });
});

describe.each(TRANSPORTS)('a call on the $transport transport', ({ open }) => {
  test('reports when its answer has been sent, or that it never will be', async () => {
    const outcomes: string[] = [];
    const never = new Promise<never>(() => {});
    let asked = 0;
    const handler: Handler = (call) => {
      const { target } = call;
      asked++;
      call.sent.then(
        () => outcomes.push(`${target} sent`),
        () => outcomes.push(`${target} not sent`),
      );
      return target === '/never' ? never : reply(200, {}, 'x');
    };
    const { connect } = await startEngine(open, { handler });
    const [good, bad] = [await connect(), await connect()];
    await good.send(GET).response();
    bad.send('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
    // A reset overtakes what the server has not read yet.
    while (asked < 2) await turn();
    bad.reset();
    while (outcomes.length < 2) await turn();
    expect(outcomes).toEqual(['/ sent', '/never not sent']);
  });

  test('sends interim answers', async () => {
    const handler: Handler = async (call) => {
      call.inform(103, { Link: '</a.css>; rel=preload' });
      await turn();
      call.inform(102, {});
      return reply(200, {}, 'x');
    };
    const { connect } = await startEngine(open, { handler });
    const text = await (await connect()).send(GET.replace('Host', 'Connection: close\r\nHost')).end();
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 102 Processing\r\n\r\nHTTP\/1\.1 200 OK/,
    );
    expect(await (await connect()).send(GET_1_0).end()).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test('may be given a shorter time, after which the client gets 503', async () => {
    const aborted = Promise.withResolvers<void>();
    const handler: Handler = (call) => {
      call.timeout(300);
      call.signal.addEventListener('abort', () => aborted.resolve());
      return new Promise(() => {});
    };
    const { connect } = await startEngine(open, { handler });
    expect((await (await connect()).send(GET).response()).status).toBe(503);
    await aborted.promise;
  });

  test('makes a drain wait for its background work', async () => {
    const work = Promise.withResolvers<void>();
    const handler: Handler = (call) => {
      call.waitUntil(work.promise);
      return reply(200);
    };
    const { connect, engine } = await startEngine(open, { handler });
    const client = await connect();
    await client.send(GET).response();
    client.close();
    let isDrained = false;
    const drained = engine.drain(10_000).then(() => {
      isDrained = true;
    });
    await connectionsBecome(engine, 0);
    for (let i = 0; i < 20; i++) await turn();
    expect(isDrained).toBe(false);
    work.resolve();
    await drained;
  });

  test('is reported when it is over', async () => {
    const ends: unknown[] = [];
    const handler: Handler = (call) =>
      call.path === '/stream' ? stream(200, {}, letters('abc')) : reply(404, {}, 'x');
    const { connect } = await startEngine(open, {
      handler,
      done: (call, end) => ends.push([call.target, end.status, end.bytes, end.isAborted]),
    });
    const client = await connect();
    await client.send(GET).response();
    client.send('GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.end();
    expect(ends).toEqual([
      ['/', 404, 1, false],
      ['/stream', 200, 3, false],
    ]);
  });
});

/** Sends back what it receives, in upper case. */
class Shouting implements NewOwner {
  index = 0;
  deadline = Number.POSITIVE_INFINITY;
  readonly #handed: HandedOver;

  constructor(handed: HandedOver) {
    this.#handed = handed;
  }

  begin(leftover: Buffer): void {
    if (leftover.length > 0) this.onData(leftover, leftover.length);
  }

  onData(bytes: Buffer, length: number): void {
    const { transport, socket } = this.#handed;
    transport.write(socket, Buffer.from(bytes.toString('latin1', 0, length).toUpperCase(), 'latin1'));
  }

  onEnd(): void {
    this.close();
  }

  onFailure(): void {
    this.close();
  }

  onWritten(): void {}
  onDeadline(): void {}
  onDrain(): void {}

  close(): void {
    this.#handed.transport.destroy(this.#handed.socket);
    this.#handed.forget(this);
  }
}

describe.each(TRANSPORTS)('a connection that is handed over, on the $transport transport', ({ open }) => {
  test.each([false, true])('speaks another protocol from then on (after a promise: %s)', async (isLater) => {
    const shout = () => new HandOverReply({ Upgrade: 'shout' }, (handed) => new Shouting(handed));
    const handler: Handler = () => (isLater ? turn().then(shout) : shout());
    const { connect, engine } = await startEngine(open, { handler });
    const client = await connect();
    client.send(`${GET.replace('Host', 'Connection: Upgrade\r\nUpgrade: shout\r\nHost')}early`);
    while (!client.received.includes('EARLY')) await turn();
    client.send('late');
    while (!client.received.includes('LATE')) await turn();
    expect(client.received).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\nEARLYLATE$/,
    );
    expect(engine.connectionCount).toBe(1);
    client.endSending();
    await client.end();
    await connectionsBecome(engine, 0);
  });

  test('is impossible in HTTP/1.0', async () => {
    const handler: Handler = () => new HandOverReply({ Upgrade: 'x' }, (handed) => new Shouting(handed));
    const { connect } = await startEngine(open, { handler });
    expect(await (await connect()).send(GET_1_0).end()).toMatch(/^HTTP\/1\.1 400/);
  });
});
