/** Each example, run by the command in its first lines, does what it says. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { io } from 'socket.io-client';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ROOT } from '../cli/server-process.ts';
import { ask, post, runExample } from './run-example.ts';

// Each starts a process, from source.
vi.setConfig({ testTimeout: 180_000 });

test('crud: creates, reads, changes and deletes, and names what is wrong', async () => {
  const { url, stop } = await runExample('crud');
  const todos = `${url}todos`;
  const made = await post(todos, { title: 'milk' });
  expect([made.status, made.headers.get('location'), made.value]).toEqual([
    201,
    '/todos/1',
    { id: 1, title: 'milk', isDone: false },
  ]);
  expect((await ask(todos)).value).toEqual([{ id: 1, title: 'milk', isDone: false }]);
  const patched = await ask(`${todos}/1`, { method: 'PATCH', body: '{"isDone":true}' });
  expect(patched.value).toEqual({ id: 1, title: 'milk', isDone: true });
  expect((await post(todos, { title: '' })).value).toMatchObject({ status: 422 });
  expect((await ask(todos, { method: 'POST', body: '{' })).value).toMatchObject({ status: 400 });
  expect((await post(todos, { title: 'x'.repeat(20_000) })).status).toBe(413);
  expect((await ask(todos, { method: 'PUT' })).headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
  expect((await ask(`${todos}/1`, { method: 'DELETE' })).status).toBe(204);
  expect((await ask(`${todos}/1`)).status).toBe(404);
  await stop();
});

test('etag: 304 for what the client has, 412 and 428 for changes that would be lost', async () => {
  const { url, stop } = await runExample('etag');
  const note = `${url}notes/a`;
  const put = (body: string, headers: Record<string, string> = {}) => ask(note, { method: 'PUT', body, headers });
  expect((await put('one')).status).toBe(428);
  const made = await put('one', { 'If-None-Match': '*' });
  expect(made.status).toBe(201);
  const etag = made.headers.get('etag') as string;
  expect((await put('two', { 'If-None-Match': '*' })).status).toBe(412);
  const read = await ask(note);
  expect([read.value, read.headers.get('etag')]).toEqual(['one', etag]);
  const again = await ask(note, { headers: { 'If-None-Match': etag } });
  expect([again.status, again.headers.get('cache-control')]).toEqual([304, 'no-cache']);
  const raced = await Promise.all([put('two', { 'If-Match': etag }), put('three', { 'If-Match': etag })]);
  expect(raced.map(({ status }) => status).sort()).toEqual([204, 412]);
  expect((await ask(note, { method: 'DELETE', headers: { 'If-Match': etag } })).status).toBe(412);
  expect((await ask(note, { method: 'DELETE' })).status).toBe(204);
  await stop();
});

test('files: ranges, listings, and nothing outside', async () => {
  const { url, stop } = await runExample('files', {}, [path.join(ROOT, 'test/cases')]);
  const [first = ''] = readdirSync(path.join(ROOT, 'test/cases'));
  const text = readFileSync(path.join(ROOT, 'test/cases', first), 'utf8');
  expect((await ask(url + first)).value).toBe(text);
  const range = await ask(url + first, { headers: { Range: 'bytes=0-9' } });
  expect([range.status, range.value]).toEqual([206, text.slice(0, 10)]);
  expect((await ask(url)).value).toContain(`<a href="./${first}"`);
  expect((await ask(`${url}..%2f..%2fpackage.json`)).status).toBe(404);
  await stop();
});

test('uploads: files reach the disk under safe names, and come back as they went', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'vrypt-uploads-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { url, stop } = await runExample('uploads', {}, [directory]);
  const form = new FormData();
  form.set('title', 'Cat');
  form.append('file', new File(['a'.repeat(500_000)], '../../cat.html'));
  const answer = await ask(`${url}files`, { method: 'POST', body: form });
  const [kept] = answer.value as [{ name: string; size: number; title: string }];
  expect([answer.status, kept]).toEqual([
    201,
    { name: expect.stringMatching(/^[0-9a-f-]{36}-cat\.html$/), size: 500_000, title: 'Cat' },
  ]);
  expect(readdirSync(directory)).toEqual([kept.name]);
  const back = await ask(`${url}files/${kept.name}`);
  expect([back.value, back.headers.get('content-security-policy')]).toEqual(['a'.repeat(500_000), 'sandbox']);
  const browser = await fetch(`${url}files`, {
    method: 'POST',
    body: form,
    headers: { Accept: 'text/html' },
    redirect: 'manual',
  });
  expect(browser.status).toBe(303);
  expect((await ask(`${url}files`, { method: 'POST', body: new FormData() })).status).toBe(400);
  form.append('file', new File(['b'.repeat(21_000_000)], 'large'));
  expect((await ask(`${url}files`, { method: 'POST', body: form })).status).toBe(413);
  expect(readdirSync(directory).length).toBe(2);
  await stop();
});

test('auth: registers, logs in and out, and believes only its own tokens', async () => {
  const { url, stop } = await runExample('auth', { SECRET: 'ab'.repeat(32) });
  const ada = { name: 'ada', password: 'correct horse battery' };
  expect((await post(`${url}register`, { ...ada, password: 'short' })).status).toBe(422);
  expect((await ask(`${url}me`)).status).toBe(401);
  const registered = await post(`${url}register`, ada);
  expect([registered.status, registered.headers.get('set-cookie')]).toEqual([
    201,
    expect.stringMatching(/^__Host-session=[\w.-]+; Path=\/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax$/),
  ]);
  expect((await post(`${url}register`, ada)).status).toBe(409);
  expect((await post(`${url}login`, { ...ada, password: 'wrong horse battery' })).status).toBe(401);
  expect((await post(`${url}login`, { ...ada, name: 'eve' })).status).toBe(401);
  const login = await post(`${url}login`, ada);
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect((await ask(`${url}me`, { headers: { Cookie: cookie } })).value).toEqual({ name: 'ada' });
  const forged = cookie.replace(/\.[^.]*$/, '.AAAA');
  expect((await ask(`${url}me`, { headers: { Cookie: forged } })).status).toBe(401);
  const out = await ask(`${url}logout`, { method: 'POST' });
  expect(out.headers.get('set-cookie')).toContain('Max-Age=0');
  await stop();
});

test('hono: middleware, streams, forms, WebSockets', async () => {
  const { url, stop } = await runExample('hono');
  expect((await ask(`${url}hello/you`)).value).toEqual({ hello: 'you', from: '127.0.0.1' });
  const items = await ask(`${url}api/items?page=2`);
  expect([items.value, items.headers.get('x-powered-by'), items.headers.get('access-control-allow-origin')]).toEqual([
    { page: 2, items: ['tea', 'milk'] },
    'vrypt-server',
    '*',
  ]);
  const again = await ask(`${url}api/items?page=2`, { headers: { 'If-None-Match': items.headers.get('etag') ?? '' } });
  expect(again.status).toBe(304);
  expect((await post(`${url}api/items`, { name: 'sugar' })).status).toBe(201);
  expect((await post(`${url}api/items`, {})).value).toBe('name must be a string');
  const form = new FormData();
  form.set('file', new File(['content'], 'a.txt'));
  expect((await ask(`${url}upload`, { method: 'POST', body: form })).value).toEqual({ name: 'a.txt', size: 7 });
  expect((await ask(`${url}count`)).value).toContain('event: count\ndata: 3\nid: 3\n\n');
  expect((await ask(`${url}ws`)).status).toBe(426);
  const socket = new WebSocket(`${url.replace('http', 'ws')}ws?name=me`);
  onTestFinished(() => socket.terminate());
  const messages: string[] = [];
  await new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      messages.push(`${data}`);
      if (messages.length === 2) resolve();
      else socket.send('echo');
    });
  });
  expect(messages).toEqual(['hello me', 'echo']);
  expect((await ask(`${url}none`)).value).toEqual({ error: 'not found' });
  await stop();
});

test('h3: routes, validation, streams, errors', async () => {
  const { url, stop } = await runExample('h3');
  const hello = await ask(`${url}hello/you?a=1`);
  expect([hello.value, hello.headers.get('x-request-path')]).toEqual([
    { hello: 'you', from: '127.0.0.1', query: { a: '1' } },
    '/hello/you',
  ]);
  expect(await post(`${url}hello`, { name: 'me' })).toMatchObject({ status: 201, value: { hello: 'me' } });
  expect((await post(`${url}hello`, {})).status).toBe(422);
  expect((await ask(`${url}stream`)).value).toBe('one two three');
  expect((await ask(`${url}fail`)).status).toBe(418);
  await stop();
});

test('socket.io: rooms, acknowledgements, binary data', async () => {
  const { url, stop } = await runExample('socket.io');
  const [one, other] = [io(url, { transports: ['websocket'] }), io(url, { transports: ['websocket'] })];
  onTestFinished(() => void one.close());
  onTestFinished(() => void other.close());
  expect(await one.emitWithAck('join', 'tea')).toBe(1);
  expect(await other.emitWithAck('join', 'tea')).toBe(2);
  const said = new Promise((resolve) => other.on('said', (_from, content: ArrayBuffer) => resolve(content)));
  one.emit('say', 'tea', Buffer.from('bytes'));
  expect(Buffer.from((await said) as Buffer).toString()).toBe('bytes');
  one.close();
  other.close();
  await stop();
});
