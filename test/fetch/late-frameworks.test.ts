/** Frameworks that are loaded after the globals have been replaced. */
import { beforeAll, expect, test } from 'vitest';
import { installGlobals, LazyRequest, Origin, responseParts } from '../../src/fetch/index.ts';
import { TestSource } from './source.ts';

const ORIGIN = new Origin('http', 'localhost:3000');

beforeAll(() => installGlobals());

test('h3, whose responses inherit from the global one', async () => {
  const { H3 } = await import('h3');
  const app = new H3();
  app.get('/', () => ({ a: 1 }));
  const parts = responseParts(await app.fetch(new LazyRequest(new TestSource(), ORIGIN) as never));
  expect([parts.status, parts.content]).toEqual([200, '{"a":1}']);
});

test('Elysia, without naming an adapter', async () => {
  const { Elysia } = await import('elysia');
  const app = new Elysia().get('/', () => new Response('x')).post('/', ({ body }) => body);
  expect(responseParts(await app.fetch(new LazyRequest(new TestSource(), ORIGIN) as never)).content).toBe('x');
  const post = new TestSource({ method: 'POST', content: '{"a":1}', fields: [['content-type', 'application/json']] });
  expect(responseParts(await app.fetch(new LazyRequest(post, ORIGIN) as never)).content).toBe('{"a":1}');
});
