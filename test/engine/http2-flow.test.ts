/** Content of HTTP/2 both ways, with Node's own client (nghttp2) at the other end; on both transports. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Call } from '../../src/engine/call.ts';
import { openHttp2 } from '../../src/engine/http2-connection.ts';
import { StreamReply } from '../../src/engine/stream-reply.ts';
import { textAnswer } from '../../src/http/answer.ts';
import { startEngine, TRANSPORTS } from './start-engine.ts';

const MIB = 1024 * 1024;

async function open(port: number, settings = {}): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  await once(session, 'connect');
  return session;
}

async function answerOf(stream: ClientHttp2Stream): Promise<[status: number, content: Buffer]> {
  const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
  return [Number(fields[':status']), await buffer(stream)];
}

describe.each(TRANSPORTS)('HTTP/2 on the $transport transport', ({ open: openTransport }) => {
  test.each([1, 1000, 65_535, 4 * MIB])('sends 5 MiB through windows of %i bytes', async (initialWindowSize) => {
    const content = Buffer.alloc(initialWindowSize === 1 ? 300 : 5 * MIB, 'abcdefghij');
    const answer = textAnswer(content.toString());
    const { port, errors } = await startEngine(openTransport, { openHttp2, handler: () => answer });
    const session = await open(port, { initialWindowSize });
    const [status, got] = await answerOf(session.request({ ':path': '/' }));
    expect(status).toBe(200);
    expect(got.equals(content)).toBe(true);
    expect(errors).toEqual([]);
  });

  test('sends a stream in pieces of many sizes, to several requests at once', async () => {
    const pieces = Array.from({ length: 200 }, (_, at) => Buffer.alloc((at * 997) % 40_000, at));
    const handler = () =>
      new StreamReply(
        200,
        'OK',
        '',
        (async function* () {
          yield* pieces;
        })(),
        null,
      );
    const { port, errors } = await startEngine(openTransport, { openHttp2, handler });
    const session = await open(port);
    const all = Buffer.concat(pieces);
    const got = await Promise.all(Array.from({ length: 8 }, () => answerOf(session.request({ ':path': '/' }))));
    for (const [, content] of got) expect(content.equals(all)).toBe(true);
    expect(errors).toEqual([]);
  });

  test('takes 5 MiB that a handler reads piece by piece, and holds the client back meanwhile', async () => {
    let received = 0;
    const handler = async (call: Call) => {
      for await (const piece of call.body) {
        received += piece.length;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return textAnswer(String(received));
    };
    const { port, errors } = await startEngine(openTransport, {
      openHttp2,
      handler,
      limits: { maxBodySize: 8 * MIB },
    });
    const session = await open(port);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.end(Buffer.alloc(5 * MIB));
    expect((await answerOf(stream))[1].toString()).toBe(String(5 * MIB));
    expect(errors).toEqual([]);
  });

  test('a client cannot send more than the window while nobody reads', async () => {
    const never = new Promise<never>(() => {});
    const { port } = await startEngine(openTransport, { openHttp2, handler: () => never });
    const session = await open(port);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => {});
    stream.write(Buffer.alloc(2 * MIB));
    await new Promise((resolve) => session.ping(resolve));
    await new Promise((resolve) => session.ping(resolve));
    expect(stream.bufferSize + stream.writableLength).toBeGreaterThan(MIB);
  });

  test('an answer before the end of the content ends the stream without an error', async () => {
    const { port, errors, engine } = await startEngine(openTransport, {
      openHttp2,
      handler: () => textAnswer('no'),
      limits: { maxDropped: 1000 },
    });
    const session = await open(port);
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => {});
    stream.write(Buffer.alloc(100_000));
    const [status, content] = await answerOf(stream);
    expect([status, content.toString()]).toEqual([200, 'no']);
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect((await answerOf(session.request({ ':path': '/' })))[1].toString()).toBe('no');
    expect(engine.pendingRequests).toBe(0);
    expect(errors).toEqual([]);
  });

  test('a stream that the client cancels ends its source, and no other stream', async () => {
    let hasEnded = false;
    const source = async function* () {
      try {
        for (;;) {
          yield Buffer.alloc(1000);
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        hasEnded = true;
      }
    };
    const handler = (call: Call) =>
      call.path === '/endless' ? new StreamReply(200, 'OK', '', source(), null) : textAnswer('ok');
    const { port, engine } = await startEngine(openTransport, { openHttp2, handler });
    const session = await open(port);
    const stream = session.request({ ':path': '/endless' });
    stream.on('error', () => {});
    await once(stream, 'data');
    stream.close(constants.NGHTTP2_CANCEL);
    expect((await answerOf(session.request({ ':path': '/' })))[1].toString()).toBe('ok');
    while (!hasEnded || engine.pendingRequests > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a draining server answers what is under way, says GOAWAY and ends', async () => {
    let answer: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const handler = async () => {
      await waiting;
      return textAnswer('late');
    };
    const { port, engine } = await startEngine(openTransport, { openHttp2, handler });
    const session = await open(port);
    const stream = session.request({ ':path': '/' });
    while (engine.pendingRequests === 0) await new Promise((resolve) => setImmediate(resolve));
    const saidGoodbye = once(session, 'goaway');
    const drained = engine.drain(5000);
    expect((await saidGoodbye)[0]).toBe(constants.NGHTTP2_NO_ERROR);
    answer();
    expect((await answerOf(stream))[1].toString()).toBe('late');
    await drained;
  });

  test('a field section of 40 KB arrives in several frames', async () => {
    const answer = new StreamReply(200, 'OK', `X-Long: ${'y'.repeat(40_000)}\r\n`, (async function* () {})(), null);
    const { port } = await startEngine(openTransport, { openHttp2, handler: () => answer });
    const session = connect(`http://127.0.0.1:${port}`, { maxSendHeaderBlockLength: 100_000 });
    onTestFinished(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    const [fields] = (await once(stream, 'response')) as [Record<string, string>];
    expect(fields['x-long']?.length).toBe(40_000);
  });
});
