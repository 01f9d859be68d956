/**
 * An application of Hono, as it would run on Bun: middleware, parameters, streams, a WebSocket. Answers Vanilla's CORS example.
 *
 *     node examples/hono/server.ts
 *     curl localhost:3000/hello/you
 */
import { type Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { etag } from 'hono/etag';
import { HTTPException } from 'hono/http-exception';
import { streamSSE } from 'hono/streaming';
import { type Server, serve } from 'vrypt-server';

/** What `fetch` gets as its second argument is `c.env`. */
type Bindings = Server<unknown>;

const app = new Hono<{ Bindings: Bindings }>();

app.use('/api/*', cors(), etag());
app.use(async (c, next) => {
  await next();
  c.header('X-Powered-By', 'vrypt-server');
});

app.get('/', (c) => c.html('<!doctype html><title>Hono</title><h1>Hono on vrypt-server</h1>'));
app.get('/hello/:name', (c) => c.json({ hello: c.req.param('name'), from: clientOf(c) }));
app.get('/api/items', (c) => c.json({ page: Number(c.req.query('page') ?? 1), items: ['tea', 'milk'] }));
app.post('/api/items', async (c) => {
  const item = await c.req.json<{ name?: unknown }>();
  if (typeof item.name !== 'string') throw new HTTPException(422, { message: 'name must be a string' });
  return c.json({ name: item.name }, 201);
});
app.post('/upload', async (c) => {
  const { file } = await c.req.parseBody();
  return c.json(file instanceof File ? { name: file.name, size: file.size } : null);
});
app.get('/count', (c) =>
  streamSSE(c, async (out) => {
    for (let id = 1; id <= 3; id++) await out.writeSSE({ id: String(id), event: 'count', data: `${id}` });
  }),
);
app.get('/ws', (c) => {
  // The 101 is sent by the server: whatever is returned is not.
  if (c.env.upgrade(c.req.raw, { data: { name: c.req.query('name') ?? 'you' } })) return c.body(null);
  return c.text('a WebSocket is expected here', 426);
});
app.notFound((c) => c.json({ error: 'not found' }, 404));

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  fetch: (request, given) => app.fetch(request, given),
  websocket: {
    open: (socket) => void socket.send(`hello ${(socket.data as { name: string }).name}`),
    message: (socket, data) => void socket.send(data),
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

function clientOf(c: Context<{ Bindings: Bindings }>): string | undefined {
  return c.env.requestIP(c.req.raw)?.address;
}
