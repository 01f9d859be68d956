/** The examples with a database, against a real PostgreSQL, also while it is away. Needs Debian's postgresql. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PostgreSQL, postgresPrograms } from './postgresql.ts';
import { ask, post, runExample } from './run-example.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

if (postgresPrograms === null) {
  console.error('NOT TESTED: the examples with a database. Install PostgreSQL: apt-get install postgresql');
}

describe.skipIf(postgresPrograms === null)('with PostgreSQL', () => {
  let database: PostgreSQL;
  beforeAll(async () => {
    database = await PostgreSQL.start();
  });
  afterAll(() => database?.close());

  test('database: creates, reads, changes and deletes, in all workers', async () => {
    const { url, stop } = await runExample('database', { DATABASE_URL: database.url, WORKERS: '2' });
    const made = await post(`${url}notes`, { text: "it's; drop table notes" });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/notes/1']);
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(`${url}notes`)));
    for (const { value } of all) expect(value).toEqual([{ id: 1, text: "it's; drop table notes" }]);
    const put = await ask(`${url}notes/1`, { method: 'PUT', body: '{"text":"two"}' });
    expect(put.value).toEqual({ id: 1, text: 'two' });
    expect((await ask(`${url}notes/x`)).status).toBe(404);
    expect((await post(`${url}notes`, { text: 1 })).status).toBe(422);
    expect((await ask(`${url}notes/1`, { method: 'DELETE' })).status).toBe(204);
    expect((await ask(`${url}notes/1`, { method: 'DELETE' })).status).toBe(404);
    await stop();
  });

  test('database: says 503 while PostgreSQL is away, and goes on when it is back', async () => {
    const { url, stop, process } = await runExample('database', { DATABASE_URL: database.url });
    expect((await ask(`${url}health`)).status).toBe(200);
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await database.goAway(signal);
      const away = await ask(`${url}health`);
      expect([away.status, away.headers.get('retry-after'), away.value]).toEqual([
        503,
        '1',
        { error: 'the database is away' },
      ]);
      await database.comeBack();
      await vi.waitFor(async () => expect((await ask(`${url}health`)).status).toBe(200), { timeout: 30_000 });
      expect((await post(`${url}notes`, { text: signal })).status).toBe(201);
    }
    expect(process.stderr).toBe('');
    await stop();
  });

  test('database: says so if it cannot start', async () => {
    const started = runExample('database', { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/postgres' });
    await expect(started).rejects.toThrow(/cannot start: .*ECONNREFUSED/);
  });

  test.each(['memory', 'PostgreSQL'])('hexagonal: the same core with shelves in %s', async (where) => {
    const { url, stop } = await runExample('hexagonal', where === 'memory' ? {} : { DATABASE_URL: database.url });
    const tea = `${url}stock/tea`;
    expect((await ask(tea)).status).toBe(404);
    expect((await post(`${tea}/receive`, { quantity: 5 })).value).toEqual({ sku: 'tea', quantity: 5 });
    const shipped = await Promise.all([1, 2, 3, 4].map(() => post(`${tea}/ship`, { quantity: 2 })));
    expect(shipped.map(({ status }) => status).sort()).toEqual([200, 200, 409, 409]);
    expect((await ask(tea)).value).toEqual({ sku: 'tea', quantity: 1 });
    expect((await post(`${tea}/ship`, { quantity: 0.5 })).status).toBe(422);
    await stop();
  });
});
