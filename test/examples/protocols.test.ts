/** The examples that speak no HTTP on their first port. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { ask, type RunningExample, runExample } from './run-example.ts';

// Each starts a process, from source.
vi.setConfig({ testTimeout: 180_000 });

function echoPort({ process }: RunningExample): number {
  return Number(/echoing on port (\d+)/.exec(process.stdout)?.[1]);
}

test('echo: whole lines come back, however they arrive, and a half one at the end', async () => {
  const example = await runExample('echo');
  const client = connect(echoPort(example), '127.0.0.1').setEncoding('utf8');
  let got = '';
  client.on('data', (text: string) => {
    got += text;
  });
  client.write('one\ntw');
  await vi.waitUntil(() => got === 'one\n');
  client.write('o\nhalf');
  await vi.waitUntil(() => got === 'one\ntwo\n');
  expect((await ask(example.url)).value).toEqual({ clients: 1, lines: 2 });
  client.end();
  await once(client, 'close');
  expect(got).toBe('one\ntwo\nhalf');
  await example.stop();
});

test('echo: a client that reads late gets all of it', async () => {
  const example = await runExample('echo');
  const client = connect(echoPort(example), '127.0.0.1').pause();
  const sent = `${'x'.repeat(8191)}\n`.repeat(1000);
  client.end(sent);
  await vi.waitUntil(async () => ((await ask(example.url)).value as { lines: number }).lines > 0);
  let size = 0;
  client.on('data', (bytes: Buffer) => {
    size += bytes.length;
  });
  client.resume();
  await once(client, 'close');
  expect(size).toBe(sent.length);
  await example.stop();
});

test('echo: a line without an end is refused', async () => {
  const example = await runExample('echo');
  const client = connect(echoPort(example), '127.0.0.1').setEncoding('utf8');
  client.end('x'.repeat(20_000));
  const got = await client.toArray();
  expect(got.join('')).toBe('a line must have at most 16384 bytes\n');
  await example.stop();
});

test('udp: a datagram comes back, and is counted', async () => {
  const example = await runExample('udp');
  const client = createSocket('udp4');
  client.send('datagram', echoPort(example), '127.0.0.1');
  expect(String((await once(client, 'message'))[0])).toBe('datagram');
  client.close();
  expect((await ask(example.url)).value).toEqual({ echoed: 1, dropped: 0 });
  await example.stop();
});
