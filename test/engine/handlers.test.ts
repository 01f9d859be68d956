import { describe, expect, test } from 'vitest';
import type { Call, Handler } from '../../src/engine/call.ts';
import { type Answer, textAnswer } from '../../src/http/answer.ts';
import { connectionsBecome, GET, startEngine, TRANSPORTS } from './start-engine.ts';

const LARGE = textAnswer('x'.repeat(8 * 1024 * 1024));

function get(target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

/** Answers every request with its target, when it is told to. */
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
  test('sees method, target and version, and only while it is called', async () => {
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
      ['GET', '/a?b=%20c', 1],
      ['PURGE', '/x', 0],
      ['OPTIONS', '*', 1],
    ]);
    expect(() => kept?.method).toThrow('a request view is valid only while its handler is called');
  });

  test('answers later, and pipelined requests wait for their turn', async () => {
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

  test('answers later to a request whose content is still on its way', async () => {
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

  test('answers later to a client that has ended its sending', async () => {
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

  test('that rejects costs its client a 500 and the connection, nobody else anything', async () => {
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

  test('that rejects before the content has come does not reset the client, which sends on', async () => {
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

  test.each([undefined, Promise.resolve(undefined)])('that gives no answer costs one connection', async (nothing) => {
    const handler: Handler = ({ target }) => (target === '/x' ? textAnswer('x') : (nothing as unknown as Answer));
    const { connect, errors } = await startEngine(open, { handler });
    const [unlucky, other] = [await connect(), await connect()];
    await unlucky.send(GET).end();
    expect((await other.send(get('/x')).response()).body).toBe('x');
    expect(errors).toHaveLength(1);
  });

  test('may settle when its client is gone', async () => {
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

  test.each(['before', 'after'])('may settle %s the answer before it has been taken', async (when) => {
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
