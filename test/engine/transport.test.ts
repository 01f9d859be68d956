import { describe, expect, onTestFinished, test } from 'vitest';
import type { SocketOwner } from '../../src/engine/transport.ts';
import { RawClient } from './raw-client.ts';
import { TRANSPORTS } from './start-engine.ts';

describe.each(TRANSPORTS)('the $transport transport', ({ open }) => {
  test('reports nothing after destroy, not even bytes that arrived before', async () => {
    const transport = open();
    const pieces: string[] = [];
    const taken = Promise.withResolvers<void>();
    let resume = () => {};
    const listener = await transport.listen(
      { address: '127.0.0.1', port: 0, backlog: 1, reusePort: false },
      (socket) => {
        const owner: SocketOwner = {
          onData(bytes, length) {
            pieces.push(bytes.toString('latin1', 0, length));
            if (pieces.length > 1) return transport.destroy(socket);
            transport.pause(socket);
            taken.resolve();
          },
          onEnd: () => pieces.push('end'),
          onFailure: () => pieces.push('failure'),
          onWritten: () => {},
        };
        transport.attach(socket, owner);
        resume = () => transport.resume(socket);
      },
    );
    onTestFinished(() => listener.close());
    const client = await RawClient.connect(listener.port);
    onTestFinished(() => client.close());
    client.send('first');
    await taken.promise;
    for (const piece of ['second', 'third']) {
      client.send(piece);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    resume();
    await client.end();
    expect(pieces).toHaveLength(2);
    expect(pieces[1]).toMatch(/^second/);
  });
});
