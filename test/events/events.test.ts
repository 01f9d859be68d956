import { describe, expect, test, vi } from 'vitest';
import { type EventSink, events, reply } from '../../src/index.ts';
import { get, startServer } from '../app/start-server.ts';

describe('server-sent events', () => {
  test('arrive with names, ids and retry; the answer ends with its source', async () => {
    const { url } = await startServer({
      handle: (call) =>
        events(call, async (out) => {
          await out.send('one', { event: 'count', id: '1', retry: 100 });
          await out.send(`last was ${out.lastEventId}`);
        }),
    });
    const answer = await fetch(url, { headers: { 'Last-Event-ID': '41' } });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('cache-control')).toContain('no-cache');
    expect(await answer.text()).toBe('event: count\nid: 1\nretry: 100\ndata: one\n\ndata: last was 41\n\n');
  });

  test('the head comes before the first event', async () => {
    const { connect } = await startServer({ handle: (call) => events(call, (out) => out.closed) });
    expect((await (await connect()).send(get('/')).response()).status).toBe(200);
  });

  test.each(['end', 'reset'] as const)('a client that goes (%s) aborts the signal and ends the source', async (how) => {
    const sink = Promise.withResolvers<EventSink>();
    const { server, connect } = await startServer({
      handle: (call) =>
        events(call, (out) => {
          sink.resolve(out);
          return out.closed;
        }),
    });
    const client = await connect();
    await client.send(get('/')).response();
    const out = await sink.promise;
    expect(out.signal.aborted).toBe(false);
    if (how === 'end') client.close();
    else client.reset();
    await out.closed;
    expect(out.signal.aborted).toBe(true);
    await expect(out.send('x')).rejects.toThrow('ended');
    await vi.waitUntil(() => server.pendingRequests === 0);
  });

  test('a drain ends them whole, so that clients go elsewhere', async () => {
    const { server, connect } = await startServer({
      handle: (call) =>
        events(call, async (out) => {
          await out.send('here');
          await out.closed;
        }),
    });
    const client = await connect();
    await client.send(get('/')).response();
    const stopped = server.stop();
    expect(await client.end()).toMatch(/data: here\n\n\r\n0\r\n\r\n$/);
    client.close();
    await stopped;
  });

  test('silence is broken by comments', async () => {
    const { connect } = await startServer({
      handle: (call) => events(call, (out) => out.closed, { heartbeatMs: 1 }),
    });
    const client = await connect();
    await client.send(get('/')).response();
    while (!client.received.includes(':\n\n')) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a slow client holds its source back', async () => {
    const blocked = Promise.withResolvers<number>();
    const { connect } = await startServer({
      handle: (call) =>
        events(call, async (out) => {
          const data = 'x'.repeat(64 * 1024);
          for (let count = 0; ; count++) {
            const taken = out.send(data);
            if (taken === undefined) continue;
            blocked.resolve(count);
            await taken;
            return;
          }
        }),
    });
    const client = await connect({ isPaused: true });
    client.send(get('/'));
    expect(await blocked.promise).toBeLessThan(1000);
    client.socket.resume();
    await client.response();
  });

  test('a source that fails cuts the connection off', async () => {
    const { connect } = await startServer({
      handle: (call) =>
        events(call, async (out) => {
          await out.send('one');
          throw new Error('the source failed');
        }),
    });
    const client = await connect();
    expect(await client.send(get('/')).end()).not.toContain('0\r\n\r\n');
  });
});

test('the signal of a call aborts when its client ends, and the answer still goes out', async () => {
  const aborted = Promise.withResolvers<void>();
  const { connect } = await startServer({
    async handle(call) {
      call.signal.addEventListener('abort', () => aborted.resolve());
      await aborted.promise;
      expect(call.signal.aborted).toBe(true);
      return reply(200, {}, 'still read');
    },
  });
  const client = await connect();
  client.send(get('/'));
  client.endSending();
  expect((await client.response()).body).toBe('still read');
});

test('a stream whose source stalls is cancelled when its client has ended', async () => {
  const cancelled = Promise.withResolvers<void>();
  const { connect } = await startServer({
    fetch: () => new Response(new ReadableStream({ cancel: () => cancelled.resolve() })),
  });
  const client = await connect();
  await client.send(get('/')).response();
  client.close();
  await cancelled.promise;
});
