/** What clients of TLS say first: real ones of OpenSSL, cut everywhere, and nonsense. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { FirstBytes, firstBytesAre, MAX_HELLO_BYTES, readClientHello } from '../../src/engine/client-hello.ts';

async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const said = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      socket.once('data', (bytes: Buffer) => {
        socket.destroy();
        resolve(bytes);
      });
    });
  });
  connect({ ...options, port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).on('error', () => {});
  return said;
}

test('name and protocols are read, whatever the cut', async () => {
  const hello = await helloOf({ servername: 'Example.COM', ALPNProtocols: ['h2', 'http/1.1'] });
  for (let end = 0; end < hello.length; end++) expect(firstBytesAre(hello.subarray(0, end))).toBe(FirstBytes.needMore);
  expect(firstBytesAre(hello)).toBe(FirstBytes.hello);
  expect(readClientHello(hello)).toEqual({ serverName: 'example.com', protocols: ['h2', 'http/1.1'] });
});

test('a client may name neither', async () => {
  expect(readClientHello(await helloOf({ servername: '' }))).toEqual({ serverName: null, protocols: [] });
});

test('a message in many records is read', async () => {
  const hello = await helloOf({ servername: 'a.test', ALPNProtocols: ['h2'] });
  const records: Buffer[] = [];
  for (let at = 5; at < hello.length; at += 3) {
    const piece = hello.subarray(at, at + 3);
    records.push(Buffer.from([22, 3, 1, 0, piece.length]), piece);
  }
  const all = Buffer.concat(records);
  for (let end = 0; end < all.length; end++) expect(firstBytesAre(all.subarray(0, end))).toBe(FirstBytes.needMore);
  expect(firstBytesAre(all)).toBe(FirstBytes.hello);
  expect(readClientHello(all)).toEqual({ serverName: 'a.test', protocols: ['h2'] });
});

test('every wrong byte leads to an answer, never to an exception', async () => {
  const hello = await helloOf({ servername: 'a.test', ALPNProtocols: ['h2'] });
  for (let at = 0; at < hello.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = Buffer.from(hello);
      changed[at] = value;
      if (firstBytesAre(changed) === FirstBytes.hello) readClientHello(changed);
    }
  }
});

test('plain HTTP, other protocols and endless messages are told apart', () => {
  expect(firstBytesAre(Buffer.from('G'))).toBe(FirstBytes.plain);
  expect(firstBytesAre(Buffer.from('\x80\x2e\x01'))).toBe(FirstBytes.other);
  expect(firstBytesAre(Buffer.from([21, 3, 1, 0, 2, 1, 0]))).toBe(FirstBytes.other);
  expect(firstBytesAre(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]))).toBe(FirstBytes.other);
  expect(firstBytesAre(Buffer.from([22, 3, 1, 0, 0]))).toBe(FirstBytes.other);
  expect(firstBytesAre(Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]))).toBe(FirstBytes.other);
  const endless = Buffer.concat(Array.from({ length: 4000 }, () => Buffer.from([22, 3, 1, 0, 1, 1])));
  expect(firstBytesAre(endless.subarray(0, MAX_HELLO_BYTES))).not.toBe(FirstBytes.hello);
});
