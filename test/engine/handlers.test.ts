import { describe, expect, test } from 'vitest';
import type { Call, Handler } from '../../src/engine/call.ts';
import { type Answer, textAnswer } from '../../src/http/answer.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

const LARGE = textAnswer('x'.repeat(8 * 1024 * 1024));

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

/** Answers every request with its target, on command. */
function laterHandler(): { handler: Handler; targets: string[]; settle: ((text?: string) => void)[] } {
  const targets: string[] = [];
  const settle: ((text?: string) => void)[] = [];
  const handler: Handler = ({ target }) => {
    targets.push(target);
    return new Promise<Answer>((resolve, reject) => {
      settle.push((text) => (text === undefined ? reject(new Error('no')) : resolve(textAnswer(text))));
    });
  };
  return { handler, targets, settle };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(TRANSPORTS)('a handler on the $transport transport', ({ open }) => {
  test('sees method, target and version, but only during its call', async () => {
    const seen: unknown[] = [];
    let kept: Call | undefined;
    const handler: Handler = (request) => {
      seen.push([request.method, request.target, request.version]);
      kept = request;
      return textAnswer('');
    };
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send(`${get('/a?b=%20c')}PURGE /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
    client.send('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.responses(3);
    expect(seen).toEqual([
      ['GET', '/a?b=%20c', '1.1'],
      ['PURGE', '/x', '1.0'],
      ['OPTIONS', '*', '1.1'],
    ]);
    expect(() => kept?.method).toThrow('a request must not be used after its handler has returned');
  });

  test('sees path, query, fields, the whole head, and both ends of the connection', async () => {
    const seen: unknown[] = [];
    const handler: Handler = (call) => {
      seen.push([call.path, call.query, call.header('X-One'), call.header('cookie'), call.header('x-none')]);
      seen.push(
        [...call.fields()],
        Buffer.from(call.head ?? []).toString('latin1'),
        call.remote.address,
        call.local.port,
      );
      return textAnswer('');
    };
    const { connect, port } = await startEngine(open, { handler });
    const client = await connect();
    const head =
      'GET /a?b=c?d HTTP/1.1\r\nHost: a\r\nx-one: \t1 \r\nX-ONE:2\r\nCookie: a=1\r\ncookie: b=2\r\nX-Empty:\r\n\r\n';
    await client.send(`\r\n${head}`).response();
    const pairs = [
      ['Host', 'a'],
      ['x-one', '1'],
      ['X-ONE', '2'],
      ['Cookie', 'a=1'],
      ['cookie', 'b=2'],
      ['X-Empty', ''],
    ];
    expect(seen).toEqual([['/a', 'b=c?d', '1, 2', 'a=1; b=2', null], pairs, head, '127.0.0.1', port]);
  });

  test('may use a request until it has answered', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const handler: Handler = async (call) => {
      await promise;
      return textAnswer(`${call.method} ${call.target} ${call.header('x')} ${call.remote.address}`);
    };
    const { connect } = await startEngine(open, { handler });
    const [client, other] = [await connect(), await connect()];
    client.send('GET /first HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n');
    other.send('GET /second HTTP/1.1\r\nHost: a\r\nX: 2\r\n\r\n');
    resolve();
    expect((await client.response()).body).toBe('GET /first 1 127.0.0.1');
    expect((await other.response()).body).toBe('GET /second 2 127.0.0.1');
  });

  test('may answer later, and pipelined requests wait their turn', async () => {
    const { handler, targets, settle } = laterHandler();
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send(get('/1') + get('/2') + get('/3'));
    for (let i = 0; i < 3; i++) {
      await until(() => settle.length === i + 1);
      expect(targets).toEqual(['/1', '/2', '/3'].slice(0, i + 1));
      settle[i]?.(`answer ${i + 1}`);
      expect((await client.response()).body).toBe(`answer ${i + 1}`);
    }
  });

  test('may answer later while content is still arriving', async () => {
    const { handler, settle } = laterHandler();
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n');
    await until(() => settle.length === 1);
    settle[0]?.('later');
    expect((await client.response()).status).toBe(100);
    client.send('abc');
    client.send(`def${get('/2')}`);
    expect((await client.response()).body).toBe('later');
    await until(() => settle.length === 2);
    settle[1]?.('next');
    expect((await client.response()).body).toBe('next');
  });

  test('may answer later to a client that has half-closed', async () => {
    const { handler, settle } = laterHandler();
    const { connect, engine } = await startEngine(open, { handler });
    const client = await connect();
    client.send(GET).endSending();
    await until(() => settle.length === 1);
    settle[0]?.('later');
    expect((await client.response()).body).toBe('later');
    await client.end();
    await connectionsBecome(engine, 0);
  });

  test('that rejects costs its client a 500 and the connection, and no other client anything', async () => {
    const { handler, settle } = laterHandler();
    const { connect, errors } = await startEngine(open, { handler });
    const [unlucky, other] = [await connect(), await connect()];
    unlucky.send(get('/1') + get('/2'));
    await until(() => settle.length === 1);
    other.send(GET);
    await until(() => settle.length === 2);
    settle[0]?.();
    const { status, head } = await unlucky.response();
    expect(status).toBe(500);
    expect(head).toContain('Connection: close');
    expect(await unlucky.end()).toBe('');
    settle[1]?.('fine');
    expect((await other.response()).body).toBe('fine');
    expect(errors).toEqual([new Error('no')]);
  });

  test('that rejects before the content has arrived does not reset the client, which goes on sending', async () => {
    const { handler, settle } = laterHandler();
    const { connect } = await startEngine(open, { handler });
    const client = await connect();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 8\r\n\r\n');
    await until(() => settle.length === 1);
    settle[0]?.();
    expect((await client.response()).status).toBe(500);
    expect(await client.end()).toBe('');
    client.send('abcd');
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    client.send('efgh').endSending();
    await until(() => client.socket.closed);
    expect(client.failure).toBe(null);
  });

  test('that throws costs its client a 500 and the connection; what came before is answered', async () => {
    const handler: Handler = ({ target }) => {
      if (target === '/2') throw new Error('no');
      return textAnswer(target);
    };
    const { connect, errors } = await startEngine(open, { handler });
    const [unlucky, other] = [await connect(), await connect()];
    unlucky.send(get('/1') + get('/2') + get('/3'));
    expect((await unlucky.responses(2)).map(({ status }) => status)).toEqual([200, 500]);
    expect(await unlucky.end()).toBe('');
    expect((await other.send(get('/x')).response()).body).toBe('/x');
    expect(errors).toEqual([new Error('no')]);
  });

  test.each([undefined, Promise.resolve(undefined)])('that returns no answer costs one connection', async (nothing) => {
    const handler: Handler = ({ target }) => (target === '/x' ? textAnswer('x') : (nothing as unknown as Answer));
    const { connect, errors } = await startEngine(open, { handler });
    const [unlucky, other] = [await connect(), await connect()];
    await unlucky.send(GET).end();
    expect((await other.send(get('/x')).response()).body).toBe('x');
    expect(errors).toHaveLength(1);
  });

  test('may settle after its client has gone', async () => {
    const { handler, settle } = laterHandler();
    const { connect, engine, errors } = await startEngine(open, { handler });
    const client = await connect();
    client.send(GET);
    await until(() => settle.length === 1);
    engine.closeConnections();
    settle[0]?.('too late');
    await client.end();
    const other = await connect();
    other.send(GET);
    await until(() => settle.length === 2);
    settle[1]?.('in time');
    expect((await other.response()).body).toBe('in time');
    expect(errors).toEqual([]);
  });

  test.each(['before', 'after'])('may settle %s the previous answer has been sent', async (when) => {
    const { handler: later, settle } = laterHandler();
    const handler: Handler = (request) => (request.target === '/large' ? LARGE : later(request));
    const { connect } = await startEngine(open, { handler });
    const client = await connect({ isPaused: true });
    client.send(get('/large') + get('/later') + get('/large') + get('/later'));
    await until(() => settle.length === 1);
    if (when === 'before') settle[0]?.('first');
    client.socket.resume();
    expect((await client.response()).body).toHaveLength(8 * 1024 * 1024);
    if (when === 'after') settle[0]?.('first');
    expect((await client.response()).body).toBe('first');
    expect((await client.response()).body).toHaveLength(8 * 1024 * 1024);
    await until(() => settle.length === 2);
    settle[1]?.('second');
    expect((await client.response()).body).toBe('second');
  });
});
