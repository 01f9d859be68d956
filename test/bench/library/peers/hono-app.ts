/** The application of Hono that runs on each server unchanged. */
import { Hono } from 'hono';

export const app = new Hono();

app.get('/', (c) => c.text('ready'));
app.get('/user/:id', (c) => {
  c.header('Cache-Control', 'no-store');
  return c.json({ id: c.req.param('id'), x: c.req.query('x') ?? null, token: c.req.header('x-token') ?? null });
});
app.post('/items', async (c) => c.json(await c.req.json()));
