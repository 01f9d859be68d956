import { expect, test } from 'vitest';
import { loadApp } from '../../src/app/load-app.ts';
import { type AppSource, VRYPT } from '../../src/app/source.ts';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import type { Transport } from '../../src/engine/transport.ts';
import { startEngine } from '../engine/start-engine.ts';

async function ask(source: AppSource, request: string) {
  const handler = await loadApp(source);
  const { connect } = await startEngine(() => openHandleTransport() as Transport, { handler });
  return (await connect()).send(request).response();
}

test('the default is Vrypt', async () => {
  const { status, body, head } = await ask(VRYPT, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect({ status, body }).toEqual({ status: 200, body: 'Vrypt' });
  expect(head).toContain('Content-Type: text/plain\r\n');
});

test('a custom answer has its status, fields and content', async () => {
  const source: AppSource = {
    kind: 'respond',
    status: 418,
    fields: [
      ['X-A', '1'],
      ['X-A', '2'],
    ],
    content: new Uint8Array([1, 2, 3]),
  };
  const { status, head, body } = await ask(source, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect({ status, body }).toEqual({ status: 418, body: '\x01\x02\x03' });
  expect(head).toContain('X-A: 1\r\nX-A: 2\r\n');
  expect(head).not.toContain('Content-Type');
});

test('an echo is the request as JSON', async () => {
  const request = 'PUT /a?b HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-one: 2\r\n__proto__: x\r\nContent-Length: 2\r\n\r\nhi';
  const { status, head, body } = await ask({ kind: 'echo', status: 200, fields: [['X-A', '1']] }, request);
  expect(status).toBe(200);
  expect(head).toContain('Content-Type: application/json\r\nX-A: 1\r\n');
  expect(JSON.parse(body)).toEqual({
    method: 'PUT',
    target: '/a?b',
    version: '1.1',
    headers: JSON.parse('{ "host": "a", "x-one": ["1", "2"], "__proto__": "x", "content-length": "2" }'),
    remote: { address: '127.0.0.1', port: expect.any(Number), family: 'IPv4' },
  });
});

test('an answer that would be invalid on the wire is refused', async () => {
  const source: AppSource = { kind: 'respond', status: 200, fields: [['X', 'a\r\nY: b']], content: new Uint8Array() };
  await expect(loadApp(source)).rejects.toThrow(RangeError);
});
