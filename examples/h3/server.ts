/**
 * An application of h3, as in Nitro and Nuxt: routes, middleware, validation, a stream. Answers httprs's example of a Handler.
 *
 *     node examples/h3/server.ts
 *     curl -d '{"name":"you"}' localhost:3000/hello
 */
import { getQuery, H3, HTTPError, readValidatedBody } from 'h3';
import { serve } from 'vrypt-server';

const app = new H3();

app.use((event) => {
  event.res.headers.set('X-Request-Path', event.url.pathname);
});
app.get('/', () => 'h3 on vrypt-server');
app.get('/hello/:name', (event) => ({
  hello: event.context.params?.['name'],
  from: event.req.ip,
  query: getQuery(event),
}));
app.post('/hello', async (event) => {
  const { name } = await readValidatedBody(event, validName);
  event.res.status = 201;
  return { hello: name };
});
app.get('/stream', () => ReadableStream.from(['one ', 'two ', 'three']).pipeThrough(new TextEncoderStream()));
app.get('/fail', () => {
  throw new HTTPError({ status: 418, statusText: 'I am a teapot' });
});

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  fetch: (request) => app.fetch(request),
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

function validName(body: unknown): { name: string } {
  const { name } = (body ?? {}) as { name?: unknown };
  if (typeof name !== 'string') throw new HTTPError({ status: 422, message: 'name must be a string' });
  return { name };
}
