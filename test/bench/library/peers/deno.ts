/** Deno.serve: argv is the port. */
import { port, USER_FIELDS, userText } from './workload.ts';

declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen(): void },
    handler: (request: Request) => Response | Promise<Response>,
  ): unknown;
};

Deno.serve({ port: port(), hostname: '0.0.0.0', onListen: () => {} }, (request) => {
  const url = new URL(request.url);
  if (url.pathname.startsWith('/user/')) {
    return new Response(userText(url.pathname.slice(6), url.searchParams.get('x'), request.headers.get('x-token')), {
      headers: USER_FIELDS,
    });
  }
  return url.pathname === '/items' ? request.json().then((item) => Response.json(item)) : new Response('ready');
});
