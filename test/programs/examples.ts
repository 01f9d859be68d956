/** Examples of the library as programs of their own: on every target, in an empty root where that is enough. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/support/checkout.ts';
import { PostgreSQL, postgresPrograms } from '../examples/postgresql.ts';
import { esm, type Service, server, type TriedProgram } from './program.ts';

const main = (name: string) => readFileSync(path.join(root, 'examples', name, 'server.ts'), 'utf8');
const json = { 'content-type': 'application/json' };

export const examples: readonly TriedProgram[] = [
  {
    name: 'example-hono',
    title: 'The example hono: Hono on vrypt-server',
    dependencies: { hono: '4.13.19', 'vrypt-server': 'packed' },
    manifest: esm,
    files: { 'server.ts': main('hono') },
    description: {
      entry: 'server.ts',
      smoke: server([
        { path: '/hello/kim', contains: '{"hello":"kim"' },
        { path: '/api/items?page=3', content: '{"page":3,"items":["tea","milk"]}' },
        {
          method: 'POST',
          path: '/api/items',
          headers: json,
          body: '{"name":"tea"}',
          status: 201,
          content: '{"name":"tea"}',
        },
        { method: 'POST', path: '/api/items', headers: json, body: '{}', status: 422 },
        { path: '/count', contains: 'data: 3' },
      ]),
    },
  },
  {
    name: 'example-database',
    title: 'The example database: PostgreSQL on vrypt-server',
    dependencies: { postgres: '3.4.9', 'vrypt-server': 'packed' },
    manifest: esm,
    files: { 'server.ts': main('database') },
    description: {
      entry: 'server.ts',
      smoke: server([
        { path: '/health', content: 'ok\n' },
        {
          method: 'POST',
          path: '/notes',
          headers: json,
          body: '{"text":"milk"}',
          status: 201,
          contains: '"text":"milk"',
        },
        { path: '/notes', contains: '"text":"milk"' },
        { path: '/notes/0', status: 404 },
      ]),
    },
    service: startPostgreSQL,
  },
];

async function startPostgreSQL(): Promise<Service> {
  if (postgresPrograms === null) throw new Error('PostgreSQL must be installed: apt-get install postgresql');
  const database = await PostgreSQL.start();
  return { environment: { DATABASE_URL: database.url }, stop: () => database.close() };
}
