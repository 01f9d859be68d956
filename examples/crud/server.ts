/**
 * To-dos in memory: create, read, update, delete. Answers Vanilla's CRUD example.
 *
 *     node examples/crud/server.ts
 *     curl -d '{"title":"milk"}' localhost:3000/todos
 */
import { type Call, json, RequestError, reply, serve } from 'vrypt-server';

interface Todo {
  readonly id: number;
  readonly title: string;
  readonly isDone: boolean;
}

const todos = new Map<number, Todo>();
let lastId = 0;

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  // Content longer than this is refused with 413 however it is read.
  limits: { maxBodySize: 10_000 },
  routes: {
    '/todos': {
      GET: () => json([...todos.values()]),
      POST: async (call) => {
        const given = await readTodo(call);
        if (given.title === undefined) return problem(422, 'title must be a string of 1 to 200 characters');
        const todo = { id: ++lastId, title: given.title, isDone: given.isDone ?? false };
        todos.set(todo.id, todo);
        return json(todo, 201, { Location: `/todos/${todo.id}` });
      },
    },
    '/todos/:id': {
      GET: (call) => {
        const todo = todoOf(call);
        return todo === undefined ? problem(404, 'there is no such to-do') : json(todo);
      },
      PATCH: async (call) => {
        const todo = todoOf(call);
        if (todo === undefined) return problem(404, 'there is no such to-do');
        const changed = { ...todo, ...(await readTodo(call)) };
        todos.set(todo.id, changed);
        return json(changed);
      },
      DELETE: (call) => (todos.delete(Number(call.params['id'])) ? reply(204) : problem(404, 'there is no such to-do')),
    },
  },
  error: (error) => {
    if (error instanceof RequestError) return problem(error.status, error.message);
    if (error instanceof TypeError) return problem(422, error.message);
    return undefined; // 500, and the error on stderr
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

function todoOf(call: Call): Todo | undefined {
  return todos.get(Number(call.params['id']));
}

/** What the client has given, checked. */
async function readTodo(call: Call): Promise<{ title?: string; isDone?: boolean }> {
  const given = await call.body.json<{ title?: unknown; isDone?: unknown } | null>();
  const todo: { title?: string; isDone?: boolean } = {};
  if (given?.title !== undefined) {
    if (typeof given.title !== 'string' || given.title === '' || given.title.length > 200) {
      throw new TypeError('title must be a string of 1 to 200 characters');
    }
    todo.title = given.title;
  }
  if (given?.isDone !== undefined) {
    if (typeof given.isDone !== 'boolean') throw new TypeError('isDone must be true or false');
    todo.isDone = given.isDone;
  }
  return todo;
}

/** RFC 9457. */
function problem(status: number, detail: string) {
  return json({ status, detail }, status, { 'Content-Type': 'application/problem+json' });
}
