/** Frameworks as they are, served on sockets. */
import { Elysia } from 'elysia';
import { H3 } from 'h3';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { AutoRouter } from 'itty-router';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer } from './start-server.ts';

// One of its other helpers looks for `Bun.write` when the module is loaded.
Object.assign(globalThis, { Bun: { write() {} } });
const { getConnInfo, upgradeWebSocket, websocket } = await import('hono/bun');
Reflect.deleteProperty(globalThis, 'Bun');

async function post(url: string, value: unknown): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json' };
  return (await fetch(url, { method: 'POST', body: JSON.stringify(value), headers })).json();
}

test('Hono with the helpers of hono/bun', async () => {
  const app = new Hono();
  app.get('/user/:id', (c) => c.json({ id: c.req.param('id'), ip: getConnInfo(c).remote.address }));
  app.post('/json', async (c) => c.json(await c.req.json()));
  app.get('/events', (c) => streamSSE(c, (out) => out.writeSSE({ data: 'x', event: 'e', id: '1' })));
  app.get(
    '/ws',
    upgradeWebSocket(() => ({
      onOpen: (_event, socket) => socket.send('open'),
      onMessage: (event, socket) => socket.send(`got ${event.data}`),
    })),
  );
  const { url } = await startServer({ fetch: app.fetch, websocket: websocket as never });
  expect(await (await fetch(`${url}user/7?x=1`)).json()).toEqual({ id: '7', ip: '127.0.0.1' });
  expect(await post(`${url}json`, { a: 'x'.repeat(100_000) })).toEqual({ a: 'x'.repeat(100_000) });
  expect(await (await fetch(`${url}events`)).text()).toBe('event: e\ndata: x\nid: 1\n\n');
  expect((await fetch(`${url}none`)).status).toBe(404);
  const messages: string[] = [];
  const socket = new WebSocket(`${url.replace('http', 'ws')}ws`, ['first']);
  onTestFinished(() => socket.terminate());
  await new Promise<void>((resolve) => {
    socket.on('open', () => socket.send('this'));
    socket.on('message', (data) => {
      messages.push(`${data}`);
      if (messages.length === 2) resolve();
    });
  });
  expect(messages).toEqual(['open', 'got this']);
});

test('h3', async () => {
  const app = new H3();
  app.get('/hello/:name', (event) => ({ name: event.context.params?.['name'], ip: event.req.ip }));
  app.post('/json', async (event) => (await event.req.json()) as object);
  app.get('/text', () => 'text');
  const { url } = await startServer({ fetch: (request) => app.fetch(request) });
  expect(await (await fetch(`${url}hello/you`)).json()).toEqual({ name: 'you', ip: '127.0.0.1' });
  expect(await post(`${url}json`, [1, 2])).toEqual([1, 2]);
  expect(await (await fetch(`${url}text`)).text()).toBe('text');
});

test('itty-router', async () => {
  const router = AutoRouter();
  router.get('/user/:id', ({ params }) => ({ id: params['id'] })).post('/json', async (request) => request.json());
  const { url } = await startServer({ fetch: router.fetch });
  expect(await (await fetch(`${url}user/7`)).json()).toEqual({ id: '7' });
  expect(await post(`${url}json`, { a: 1 })).toEqual({ a: 1 });
  expect((await fetch(`${url}none`)).status).toBe(404);
});

test('Elysia', async () => {
  const app = new Elysia()
    .get('/user/:id', ({ params, query }) => ({ ...params, ...query }))
    .post('/json', ({ body }) => body as object)
    .get('/stream', function* () {
      yield 'a';
      yield 'b';
    });
  const { url } = await startServer({ fetch: (request) => app.fetch(request) });
  expect(await (await fetch(`${url}user/7?x=1`)).json()).toEqual({ id: '7', x: '1' });
  expect(await post(`${url}json`, { a: 1 })).toEqual({ a: 1 });
  expect(await (await fetch(`${url}stream`)).text()).toContain('b');
});

test('what was written for Cloudflare', async () => {
  const worker = {
    async fetch(request: Request, _environment: unknown, context?: { waitUntil(work: Promise<unknown>): void }) {
      context?.waitUntil(Promise.resolve());
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === '/form') return Response.json(Object.fromEntries(await request.formData()));
      if (pathname === '/clone') return new Response(`${await request.clone().text()} ${await request.text()}`);
      if (pathname === '/pass') return new Response(request.body, { headers: { 'Content-Type': 'text/plain' } });
      return Response.redirect(`https://example.com/?${searchParams}`, 308);
    },
  };
  const { url } = await startServer({ fetch: worker.fetch as never });
  const form = new FormData();
  form.set('a', 'b');
  expect(await (await fetch(`${url}form`, { method: 'POST', body: form })).json()).toEqual({ a: 'b' });
  expect(await (await fetch(`${url}clone`, { method: 'POST', body: 'x' })).text()).toBe('x x');
  const large = 'y'.repeat(1_000_000);
  expect(await (await fetch(`${url}pass`, { method: 'POST', body: large })).text()).toBe(large);
  const redirect = await fetch(`${url}?q=1`, { redirect: 'manual' });
  expect([redirect.status, redirect.headers.get('location')]).toEqual([308, 'https://example.com/?q=1']);
});
