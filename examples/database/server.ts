/**
 * Notes in PostgreSQL, through a pool of connections for each worker. Answers Vanilla's PostgreSQL example.
 *
 *     docker compose -f examples/database/compose.yml up -d          # or any other PostgreSQL
 *     DATABASE_URL=postgres://postgres:secret@localhost/postgres node examples/database/server.ts
 *     curl -d '{"text":"milk"}' localhost:3000/notes
 */
import postgres from 'postgres';
import { type Call, json, RequestError, reply, serve } from 'vrypt-server';

interface Note {
  readonly id: number;
  readonly text: string;
}
type Sql = postgres.Sql;

const { DATABASE_URL = 'postgres://postgres:secret@localhost/postgres', PORT = '3000', WORKERS = '1' } = process.env;

const server = serve<Sql>({
  port: Number(PORT),
  workers: Number(WORKERS),
  handleSignals: true,
  // A request waits its turn for the pool, and each turn may take all of connect_timeout: handlerMs is for all of it.
  limits: { maxBodySize: 10_000, handlerMs: 3000 },
  // In every worker: a pool of its own, opened before it listens, closed after its last answer.
  start: async () => {
    const sql = postgres(DATABASE_URL, { max: 10, connect_timeout: 2, backoff: () => 0.2, onnotice: () => {} });
    await sql`create table if not exists notes (id serial primary key, text text not null)`;
    return sql;
  },
  stop: (sql) => sql.end({ timeout: 1 }),
  routes: {
    '/health': async ({ state: sql }) => {
      await sql`select 1`;
      return reply(200, { 'Content-Type': 'text/plain' }, 'ok\n');
    },
    '/notes': {
      GET: async ({ state: sql }) => json(await sql<Note[]>`select id, text from notes order by id limit 100`),
      POST: async (call) => {
        const text = await readText(call);
        const [note] = await call.state<Note[]>`insert into notes (text) values (${text}) returning id, text`;
        return json(note, 201, { Location: `/notes/${note?.id}` });
      },
    },
    '/notes/:id': {
      GET: async ({ params, state: sql }) =>
        found(await sql<Note[]>`select id, text from notes where id = ${idIn(params)}`),
      PUT: async (call) => {
        const { params, state: sql } = call;
        const text = await readText(call);
        return found(await sql<Note[]>`update notes set text = ${text} where id = ${idIn(params)} returning id, text`);
      },
      DELETE: async ({ params, state: sql }) => {
        const { count } = await sql`delete from notes where id = ${idIn(params)}`;
        return reply(count === 0 ? 404 : 204);
      },
    },
  },
  error: (error) => {
    if (error instanceof RequestError) return json({ error: error.message }, error.status);
    if (error instanceof RangeError) return json({ error: error.message }, 422);
    if (!isAway(error)) return undefined;
    // The pool connects again by itself; until then clients are told when to come back.
    return json({ error: 'the database is away' }, 503, { 'Retry-After': '1' });
  },
});
server.ready.then(
  ({ url }) => console.log(`listening on ${url}`),
  (error: Error) => {
    console.error(`cannot start: ${error.message}`);
    process.exitCode = 1;
  },
);

function found([note]: readonly Note[]) {
  return note === undefined ? reply(404) : json(note);
}

/** -1 is nobody's. */
function idIn(params: Readonly<Record<string, string>>): number {
  const id = Number(params['id']);
  return Number.isInteger(id) && id > 0 && id < 2 ** 31 ? id : -1;
}

async function readText(call: Call<Sql>): Promise<string> {
  const given = await call.body.json<{ text?: unknown } | null>();
  if (typeof given?.text !== 'string' || given.text === '') throw new RangeError('text must be a string');
  return given.text;
}

/** What the driver, the system and PostgreSQL (class 57P: it is shutting down or starting) say while there is no connection. */
function isAway(error: unknown): boolean {
  const code = String((error as { code?: unknown })?.code);
  return /^(CONNECT|ECONN|EPIPE|ENOENT|ENOTFOUND|57P0|08)/.test(code);
}
