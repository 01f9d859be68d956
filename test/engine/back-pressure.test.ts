import { describe, expect, test } from 'vitest';
import type { SocketOwner, Transport, TransportSocket } from '../../src/engine/transport.ts';
import { textAnswer } from '../../src/http/answer.ts';
import { GET, startEngine, TRANSPORTS } from './start-engine.ts';

const BODY = 'x'.repeat(1000);

/** Observes how much one connection has written, and whether it reads. */
function watched(transport: Transport) {
  const seen = { isReading: true, receivedBytes: 0, maxPending: 0, whenPaused: Promise.withResolvers<void>() };
  const watching: Transport = {
    ...transport,
    attach(socket: TransportSocket, owner: SocketOwner) {
      const { onData } = owner;
      owner.onData = (bytes, length) => {
        seen.receivedBytes += length;
        onData.call(owner, bytes, length);
      };
      transport.attach(socket, owner);
    },
    pause(socket) {
      seen.isReading = false;
      seen.maxPending = Math.max(seen.maxPending, transport.pendingBytes(socket));
      seen.whenPaused.resolve();
      transport.pause(socket);
    },
    resume(socket) {
      seen.isReading = true;
      transport.resume(socket);
    },
  };
  return { watching, seen };
}

describe.each(TRANSPORTS)('a client that does not read, on the $transport transport', ({ open }) => {
  test('is not read from, takes bounded memory, and gets every answer once it reads again', async () => {
    const { watching, seen } = watched(open());
    const answer = textAnswer(BODY);
    const { connect } = await startEngine(() => watching, { handler: () => answer });
    const client = await connect({ isPaused: true });
    // Half as many requests again as fill the kernel's buffers with answers.
    const batch = GET.repeat(1000);
    let batches = 0;
    let isPaused = false;
    void seen.whenPaused.promise.then(() => {
      isPaused = true;
    });
    while (!isPaused || batches % 3 !== 0) {
      client.send(batch);
      batches++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const extra = batches / 2 + 10;
    for (let i = 0; i < extra; i++, batches++) client.send(batch);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));

    expect(seen.isReading).toBe(false);
    const receivedWhenPaused = seen.receivedBytes;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(seen.receivedBytes).toBe(receivedWhenPaused);
    // At most the answers to one read are not yet in the kernel; they are written whenever 64 KiB have accumulated.
    expect(seen.maxPending).toBeLessThan(256 * 1024);

    client.socket.resume();
    let count = 0;
    for (; count < batches * 1000; count++) {
      const { body } = await client.response();
      if (body !== BODY) break;
    }
    expect(count).toBe(batches * 1000);
    expect(seen.isReading).toBe(true);
    expect((await client.send(GET).response()).body).toBe(BODY);
  });

  test('that then vanishes is forgotten', async () => {
    const { watching, seen } = watched(open());
    const answer = textAnswer('x'.repeat(16 * 1024 * 1024));
    const { connect, engine, errors } = await startEngine(() => watching, { handler: () => answer });
    const client = await connect({ isPaused: true });
    client.send(GET);
    await seen.whenPaused.promise;
    client.reset();
    while (engine.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([]);
  });
});
