/** The order matters: programs may keep Node's classes before ours replace them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as ours from '../../src/fetch/index.ts';
import { NODES, OURS } from './both.ts';
import { TestSource } from './source.ts';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(JSON.stringify({ method, url, headers, content: Buffer.concat(chunks).toString() }));
  });
});
let base = '';

interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly content: string;
}

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  ours.installGlobals();
  ours.installGlobals();
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function receive(content: string, isLate = false): ours.LazyRequest {
  const fields = [
    ['Host', 'front.example'],
    ['Connection', 'keep-alive, upgrade'],
    ['Upgrade', 'h2c'],
    ['Expect', '100-continue'],
    ['Transfer-Encoding', 'chunked'],
    ['X-Own', 'yes'],
  ] as const;
  return new ours.LazyRequest(
    new TestSource({ method: 'POST', target: '/in', content, isLate, fields }),
    new ours.Origin('http', 'a'),
  );
}

test('the globals are ours', () => {
  expect([Request, Response, Headers]).toEqual([ours.Request, ours.Response, ours.Headers]);
  expect(Object.getOwnPropertyDescriptor(globalThis, 'Response')).toMatchObject({
    enumerable: false,
    writable: true,
    configurable: true,
  });
  expect([fetch.name, fetch.length]).toEqual(['fetch', 1]);
});

test('instanceof holds for both kinds, both ways', () => {
  for (const name of ['Request', 'Response', 'Headers'] as const) {
    const first = name === 'Headers' ? {} : 'http://a/';
    const [our, nodes] = [OURS, NODES].map((classes): object => new classes[name](first as never));
    expect(our).toBeInstanceOf(NODES[name]);
    expect(nodes).toBeInstanceOf(OURS[name]);
    expect(our).toBeInstanceOf(OURS[name]);
    expect(nodes).toBeInstanceOf(NODES[name]);
    expect({}).not.toBeInstanceOf(OURS[name]);
    expect({ [Symbol.toStringTag]: name }).not.toBeInstanceOf(OURS[name]);
    expect(OURS[name][Symbol.hasInstance](null)).toBe(false);
  }
});

test('subclasses are distinguished', () => {
  class Mine extends Response {}
  class Nodes extends NODES.Response {}
  expect(new Mine()).toBeInstanceOf(Response);
  expect(new Mine()).toBeInstanceOf(Mine);
  expect(new Response()).not.toBeInstanceOf(Mine);
  expect(new Response()).not.toBeInstanceOf(Nodes);
  expect(new Nodes()).toBeInstanceOf(Response);
  expect(ours.responseParts(new Mine('x')).content).toBe('x');
});

test('fetch returns Node’s Response, which is an instance of our class', async () => {
  const response = await fetch(`${base}/a`, { headers: new Headers({ 'X-A': 'b' }) });
  expect(response).toBeInstanceOf(Response);
  expect(response).toBeInstanceOf(NODES.Response);
  expect(((await response.clone().json()) as Echo).headers['x-a']).toBe('b');
  const copy = new Response(response.body, response);
  copy.headers.set('x', 'y');
  expect([copy.status, copy.headers.getSetCookie(), ((await copy.json()) as Echo).url]).toEqual([
    200,
    ['a=1', 'b=2'],
    '/a',
  ]);
});

test('fetch accepts our Request', async () => {
  const request = new Request(`${base}/b`, { method: 'PUT', body: 'content', headers: { 'X-A': 'b' } });
  const { method, url, headers, content } = (await (await fetch(request)).json()) as Echo;
  expect([method, url, headers['x-a'], headers['content-type'], content]).toEqual([
    'PUT',
    '/b',
    'b',
    'text/plain;charset=UTF-8',
    'content',
  ]);
  expect(request.bodyUsed).toBe(true);
  await expect(fetch(request)).rejects.toThrow(TypeError);
});

test('fetch accepts our Request with options that change it', async () => {
  const request = new Request(`${base}/b`, { method: 'PUT', body: 'content', headers: { 'X-A': 'b' } });
  const { method, headers, content } = (await (
    await fetch(request, { method: 'POST', signal: undefined as never, headers: { c: 'd' } })
  ).json()) as Echo;
  expect([method, headers['x-a'], headers['c'], content]).toEqual(['POST', undefined, 'd', 'content']);
});

test('fetch accepts our stream', async () => {
  const body = new Response('streamed').body as ReadableStream;
  const request = new Request(`${base}/b`, { method: 'POST', body, duplex: 'half' });
  const answered = fetch(request);
  expect(request.bodyUsed).toBe(true);
  expect(((await (await answered).json()) as Echo).content).toBe('streamed');
});

test.each([false, true])('fetch passes on an incoming request, late: %s', async (isLate) => {
  for (const send of [
    (request: ours.LazyRequest) => fetch(`${base}/in`, request as never),
    (request: ours.LazyRequest) => fetch(new Request(`${base}/in`, request as never)),
  ]) {
    const { method, url, headers, content } = (await (await send(receive('passed on', isLate))).json()) as Echo;
    expect([method, url, headers['x-own'], content]).toEqual(['POST', '/in', 'yes', 'passed on']);
    expect([headers['upgrade'], headers['expect']]).toEqual([undefined, undefined]);
  }
  const { headers } = (await (await fetch(`${base}/in`, receive('x') as never)).json()) as Echo;
  expect(headers['host']).toBe(base.slice('http://'.length));
});

test('fetch is aborted by the signal of our Request', async () => {
  const controller = new AbortController();
  controller.abort(new Error('enough'));
  await expect(fetch(new Request(base, { signal: controller.signal }))).rejects.toThrow('enough');
});

test('Node’s classes accept our objects', async () => {
  const response = new Response('text', { status: 201, headers: { a: 'b' } });
  const copy = new NODES.Response(response.body as never, response as never);
  expect([copy.status, copy.headers.get('a'), await copy.text()]).toEqual([201, 'b', 'text']);
  expect([...new NODES.Headers(new Headers({ a: 'b' }) as never)]).toEqual([['a', 'b']]);
  const request = new Request('http://a/', { method: 'POST', body: 'x' });
  const second = new NODES.Request('http://b/', request as never);
  expect([second.method, await second.text()]).toEqual(['POST', 'x']);
});

test('our classes accept Node’s objects', async () => {
  const nodes = new NODES.Request('http://a/', { method: 'POST', body: 'x', headers: { a: 'b' }, cache: 'reload' });
  const request = new Request(nodes);
  expect([request.url, request.method, request.headers.get('a'), request.cache, nodes.bodyUsed]).toEqual([
    'http://a/',
    'POST',
    'b',
    'reload',
    true,
  ]);
  expect(await request.text()).toBe('x');
  expect(() => new Request(nodes)).toThrow(TypeError);
  expect([...new Headers(new NODES.Headers({ a: 'b' }))]).toEqual([['a', 'b']]);
});
