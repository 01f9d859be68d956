/** Bun.serve: argv is port and level, `fetch` with routes or `hono`. */
import { app as hono } from './hono-app.ts';
import { BYTES, count, PIECE, PIECES, port, USER_FIELDS, userText } from './workload.ts';

interface BunRequest extends Request {
  readonly params: Readonly<Record<string, string>>;
}
interface BunServer {
  upgrade(request: Request): boolean;
}
type BunHandler = (request: BunRequest, server: BunServer) => Response | undefined | Promise<Response | undefined>;
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    maxRequestBodySize: number;
    routes?: Record<string, BunHandler | Record<string, BunHandler>>;
    fetch: BunHandler;
    websocket?: {
      message(socket: { send(data: string | Uint8Array): number }, data: string | Uint8Array): void;
      perMessageDeflate: boolean;
    };
  }): unknown;
};

const common = { port: port(), hostname: '0.0.0.0', maxRequestBodySize: 2 * BYTES };

if (process.argv[3] === 'fetch') {
  Bun.serve({
    ...common,
    routes: {
      '/': () => new Response('ready'),
      '/user/:id': (request) =>
        new Response(
          userText(
            request.params['id'] as string,
            new URL(request.url).searchParams.get('x'),
            request.headers.get('x-token'),
          ),
          { headers: USER_FIELDS },
        ),
      '/items': { POST: async (request) => Response.json(await request.json()) },
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
    websocket: { message: (socket, data) => void socket.send(data), perMessageDeflate: false },
  });
} else {
  Bun.serve({ ...common, fetch: (request) => hono.fetch(request) });
}
