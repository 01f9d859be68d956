import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import type { Call, Handler } from '../../src/engine/call.ts';
import { textAnswer } from '../../src/http/answer.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

const post = (length: number, rest = '') => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n${rest}\r\n`;
const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const echo: Handler = async (call) => textAnswer(await call.body.text());

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe.each(TRANSPORTS)('the content of a request on the $transport transport', ({ open }) => {
  test.each([
    ['by length', `${post(5)}hello`],
    ['in chunks', `${CHUNKED}2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX: y\r\n\r\n`],
    ['empty', post(0)],
  ])('%s is read as a whole, whichever way it arrives', async (name, request) => {
    const { connect } = await startEngine(open, { handler: echo });
    const content = name === 'empty' ? '' : 'hello';
    const whole = await connect();
    expect((await whole.send(request + request + GET).response()).body).toBe(content);
    expect((await whole.response()).body).toBe(content);
    expect((await whole.response()).body).toBe('');
    const dribbled = await connect();
    for (const byte of request) {
      dribbled.send(byte);
      await turn();
    }
    expect((await dribbled.response()).body).toBe(content);
  });

  test('is available at once if it arrived with the head', async () => {
    const seen: (string | null)[] = [];
    const handler: Handler = (call) => {
      const { now } = call.body;
      seen.push(now === null ? null : Buffer.from(now).toString());
      return textAnswer('');
    };
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    await client.send(`${post(5)}hello${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n${GET}`).responses(3);
    expect(seen).toEqual(['hello', 'ab', '']);
  });

  test('is read in pieces, and a slow reader slows the client down', async () => {
    const MEBIBYTE = Buffer.alloc(1024 * 1024, 'x');
    const go = Promise.withResolvers<void>();
    let largest = 0;
    const handler: Handler = async (call) => {
      await go.promise;
      let count = 0;
      for await (const piece of call.body) {
        count += piece.length;
        largest = Math.max(largest, piece.length);
        if (count % 10 === 0) await turn();
      }
      return textAnswer(String(count));
    };
    const { connect } = await startEngine(open, { handler, limits: { maxBodySize: 2 ** 30 } });
    const client = await connect();
    client.send(post(16 * MEBIBYTE.length));
    for (let i = 0; i < 16; i++) client.socket.write(MEBIBYTE);
    for (let i = 0; i < 50; i++) await turn();
    // The kernel's buffers hold some of it.
    expect(client.socket.bytesWritten - client.socket.writableLength).toBeLessThan(15 * MEBIBYTE.length);
    go.resolve();
    expect((await client.response()).body).toBe(String(16 * MEBIBYTE.length));
    expect(largest).toBeLessThanOrEqual(256 * 1024);
  });

  test('is a web stream too', async () => {
    const handler: Handler = async (call) => {
      let text = '';
      for await (const piece of call.body.stream()) text += Buffer.from(piece).toString();
      return textAnswer(text);
    };
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send(`${post(6)}abc`);
    await turn();
    expect((await client.send('def').response()).body).toBe('abcdef');
  });

  test('is parsed as JSON, or refused', async () => {
    const handler: Handler = async (call) => textAnswer(JSON.stringify(await call.body.json()));
    const { connect, errors } = await startEngine(open, { handler });
    const client = await connect();
    expect((await client.send(`${post(7)}{"a":1}`).response()).body).toBe('{"a":1}');
    const { status, body, head } = await client.send(`${post(4)}nope`).response();
    expect({ status, body }).toEqual({ status: 400, body: '400 Bad Request: the content is not valid JSON\n' });
    expect(head).toContain('Connection: close');
    expect(errors).toEqual([]);
  });

  test.each([
    ['by length', `${post(9)}123456789`],
    ['in chunks', `${CHUNKED}9\r\n123456789\r\n0\r\n\r\n`],
  ])('larger than its handler allows gets 413: %s', async (_name, request) => {
    const handler: Handler = async (call) => textAnswer(await call.body.text(8));
    const { connect, errors } = await startEngine(open, { handler });
    const client = await connect();
    expect((await client.send(request).response()).status).toBe(413);
    expect(errors).toEqual([]);
  });

  test('that is malformed gets its refusal, and the handler an error', async () => {
    const failures: unknown[] = [];
    const handler: Handler = async (call) =>
      textAnswer((await call.body.text().catch((error) => failures.push(error))) as string);
    const { connect } = await startEngine(open, { handler });
    const [whole, late] = [await connect(), await connect()];
    expect((await whole.send(`${CHUNKED}xyz\r\n`).response()).status).toBe(400);
    late.send(`${CHUNKED}1\r\n`);
    await turn();
    expect((await late.send('ab\r\n').response()).status).toBe(400);
    expect(failures).toHaveLength(2);
  });

  test('whose client goes away fails without affecting another request', async () => {
    const failure = Promise.withResolvers<unknown>();
    const handler: Handler = async (call) => {
      if (call.path === '/other') return textAnswer('fine');
      await call.body.text().catch(failure.resolve);
      return textAnswer('');
    };
    const { connect, engine } = await startEngine(open, { handler });
    const client = await connect();
    client.send(`${post(9)}123`);
    await connectionsBecome(engine, 1);
    await turn();
    client.socket.destroy();
    expect(await failure.promise).toBeInstanceOf(Error);
    const other = await connect();
    expect((await other.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n').response()).body).toBe('fine');
  });

  test('that stalls while its handler waits gets 408', async () => {
    const { connect } = await startEngine(open, { handler: echo, limits: { bodyTimeoutMs: 300 } });
    const client = await connect();
    const { status, body } = await client.send(`${post(5)}he`).response();
    expect({ status, body }).toEqual({ status: 408, body: '408 Request Timeout: the content stopped arriving\n' });
  });

  test('cannot be read twice or after the answer', async () => {
    let late: Call | undefined;
    const handler: Handler = async (call) => {
      late = call;
      await call.body.text();
      return textAnswer(await call.body.text().catch((error: Error) => error.message));
    };
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    const { body } = await client.send(`${post(2)}hi`).response();
    expect(body).toBe('the content of a request can be read only once');
    await expect(late?.body.text()).rejects.toThrow('only once');
  });

  test('is dropped up to a limit if it is not read, and beyond that the connection closes', async () => {
    const { connect } = await startEngine(open, { limits: { maxDropped: 10 } });
    const client = await connect();
    expect((await client.send(`${post(10)}0123456789`).response()).head).toContain('keep-alive');
    const { status, head } = await client.send(`${post(11)}01234567890`).response();
    expect(status).toBe(200);
    expect(head).toContain('Connection: close');
    expect(await client.end()).toBe('');
  });

  test('is not invited if the handler does not read it', async () => {
    const { connect } = await startEngine(open, { limits: { maxDropped: 1000 } });
    const client = await connect();
    const { status, head } = await client.send(post(5, 'Expect: 100-continue\r\n')).response();
    expect(status).toBe(200);
    expect(head).toContain('Connection: close');
  });

  test('is invited when the handler reads it', async () => {
    const { connect } = await startEngine(open, { handler: echo, limits: { maxDropped: 1000 } });
    const client = await connect();
    expect((await client.send(post(5, 'Expect: 100-continue\r\n')).response()).status).toBe(100);
    expect((await client.send('hello').response()).body).toBe('hello');
  });

  test('that the handler stops reading does not spoil the next request', async () => {
    const handler: Handler = async (call) => {
      if (call.method === 'GET') return textAnswer('next');
      for await (const piece of call.body) return textAnswer(`${piece.length > 0}`);
      return textAnswer('empty');
    };
    const { connect } = await startEngine(open, { handler, limits: { maxDropped: 1000 } });
    const client = await connect();
    client.send(`${post(100)}abc`);
    await turn();
    client.send(`${'x'.repeat(97)}${GET}`);
    expect((await client.response()).body).toBe('true');
    expect((await client.response()).body).toBe('next');
  });

  test('that has no end is not waited for once the handler has stopped reading', async () => {
    const handler: Handler = async (call) => {
      for await (const piece of call.body) return textAnswer(`${piece.length}`);
      return textAnswer('empty');
    };
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    const { head, body } = await client.send(`${CHUNKED}3\r\nabc\r\n`).response();
    expect([body, head.includes('Connection: close')]).toEqual(['3', true]);
    client.send('3\r\ndef\r\n');
    expect(await client.end()).toBe('');
  });
});
