import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import type { ListenerTicket } from '../../src/engine/shared-listener.ts';
import type { Transport } from '../../src/engine/transport.ts';
import { RawClient } from './raw-client.ts';

test('a Unix socket is given for its secret only, and serves on when those who got it have closed it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-share-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'socket');
  const transport = openHandleTransport() as Transport;
  const takers: string[] = [];
  const takenBy = (who: string) => (socket: Parameters<Transport['destroy']>[0]) => {
    takers.push(who);
    transport.destroy(socket);
  };
  const first = await transport.listen({ path: file, backlog: 16 }, takenBy('first'));
  onTestFinished(() => first.close());
  const ticket = (await first.share?.()) as ListenerTicket;
  expect(await first.share?.()).toEqual(ticket);
  const share = (given: ListenerTicket) =>
    transport.listen({ path: file, ticket: given, backlog: 16 }, takenBy('second'));
  for (const secret of [new Uint8Array(32), new Uint8Array(1)]) {
    await expect(share({ ...ticket, secret })).rejects.toMatchObject({ code: 'ECONNRESET' });
  }
  const second = await share(ticket);
  second.close();
  const client = await RawClient.connectUnix(file);
  await client.end();
  expect(takers).toEqual(['first']);
  first.close();
  await expect(share(ticket)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
