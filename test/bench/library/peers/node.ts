/** Node's own: argv is port and kind: `http`, `ws` on it, or `hono` by @hono/node-server, which `HONO_NODE_SERVER` names. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { WebSocketServer } from 'ws';
import { app as hono } from './hono-app.ts';
import { count, EVENT_MS, pieces, port, USER_FIELDS, userText } from './workload.ts';

interface HonoNodeServer {
  serve(options: { fetch: typeof hono.fetch; port: number; hostname: string }): unknown;
}

if (process.argv[3] === 'hono') {
  const { serve } = (await import(process.env['HONO_NODE_SERVER'] as string)) as HonoNodeServer;
  serve({ fetch: hono.fetch, port: port(), hostname: '0.0.0.0' });
} else {
  const server = createServer((request, response) => void answer(request, response)).listen(port(), '0.0.0.0', 4096);
  if (process.argv[3] === 'ws') {
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
    });
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url as string;
  if (url.startsWith('/user/')) {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const token = request.headers['x-token'] as string | undefined;
    end(response, userText(pathname.slice(6), searchParams.get('x'), token ?? null));
  } else if (url === '/items') {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    end(response, JSON.stringify(JSON.parse(Buffer.concat(parts).toString())));
  } else if (url === '/upload') {
    response.end(`${await count(request)}`);
  } else if (url === '/download') {
    Readable.from(pieces()).pipe(response);
  } else if (url === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    const timer = setInterval(() => response.write(`data: ${Date.now()}\n\n`), EVENT_MS);
    response.once('close', () => clearInterval(timer));
  } else {
    response.end('ready');
  }
}

function end(response: ServerResponse, text: string): void {
  response.writeHead(200, { ...USER_FIELDS, 'Content-Length': Buffer.byteLength(text) }).end(text);
}
