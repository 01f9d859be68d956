/** The library, as npm installs it: argv is port and level (`fast`, `fetch` or `hono`); `VRYPT_LIBRARY` names its entry. */
import type * as Library from '../../../../src/index.ts';
import { app as hono } from './hono-app.ts';
import { BYTES, count, EVENT_MS, PIECE, PIECES, pieces, port, USER_FIELDS, userText } from './workload.ts';

const { events, files, json, queryValue, reply, serve, stream, Answer } = (await import(
  process.env['VRYPT_LIBRARY'] as string
)) as typeof Library;

const common = { port: port(), hostname: '0.0.0.0', limits: { maxBodySize: 2 * BYTES, idleMs: 600_000 } };
const echo: Library.SocketHandlers = { message: (socket, data) => void socket.send(data), perMessageDeflate: false };

switch (process.argv[3]) {
  case 'fast':
    serve({
      ...common,
      routes: {
        '/': new Answer(200, {}, 'ready'),
        '/user/:id': (call) =>
          reply(
            200,
            USER_FIELDS,
            userText(call.params['id'] as string, queryValue(call.query, 'x'), call.header('x-token')),
          ),
        '/items': async (call) => json(await call.body.json()),
        '/upload': async (call) => reply(200, {}, `${await count(call.body)}`),
        '/download': () => stream(200, {}, pieces()),
        '/ws': (call) => call.accept(echo, null),
        '/events': (call) =>
          events(call, (out) => {
            const timer = setInterval(() => void out.send(`${Date.now()}`), EVENT_MS);
            return out.closed.finally(() => clearInterval(timer));
          }),
        '/files/*': await files(process.env['BENCH_FILES'] as string),
      },
    });
    break;
  case 'fetch':
    serve({
      ...common,
      routes: {
        '/': { fetch: () => new Response('ready') },
        '/user/:id': {
          fetch: (request) =>
            new Response(
              userText(
                request.params?.['id'] as string,
                new URL(request.url).searchParams.get('x'),
                request.headers.get('x-token'),
              ),
              { headers: USER_FIELDS },
            ),
        },
        '/items': { POST: { fetch: async (request) => Response.json(await request.json()) } },
      },
      fetch: async (request, server) => {
        const { pathname } = new URL(request.url);
        if (pathname === '/ws') return server.upgrade(request) ? undefined : new Response(null, { status: 426 });
        if (pathname === '/upload') return new Response(`${await count(request.body)}`);
        let piece = 0;
        return new Response(
          new ReadableStream({
            pull(controller) {
              if (piece++ < PIECES) controller.enqueue(PIECE);
              else controller.close();
            },
          }),
        );
      },
      websocket: echo,
    });
    break;
  default:
    serve({ ...common, fetch: (request, server) => hono.fetch(request, server) });
}
