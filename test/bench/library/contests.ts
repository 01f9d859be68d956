/** What of the library is compared with whom, and the bars. Pure: rows and bytes. */

export interface Bar {
  readonly server: string;
  readonly to: string;
  /** CPU time of `server` per request, divided by that of `to` in the same round. */
  readonly limit: number;
  /** The upper end of the 95 % interval has to be below the limit, not just the median. */
  readonly isBound?: boolean;
}

export interface Contest {
  readonly id: string;
  readonly title: string;
  /** Sent over and over on 64 connections; 'echo': WebSocket messages of 64 bytes. */
  readonly request: string;
  readonly servers: readonly string[];
  readonly bars: readonly Bar[];
}

const HOST = 'Host: localhost\r\n';
const ITEM = JSON.stringify({
  id: 12_345,
  tags: ['tea', 'milk', 'sugar'],
  lines: Array.from({ length: 16 }, (_, n) => ({ n, name: `a name of ${n}`, price: n * 1.5, isNew: n % 2 === 0 })),
}).padEnd(1024);

export const ECHO = 'echo';
const NGINX = 'nginx';

export const CONTESTS: readonly Contest[] = [
  {
    id: 'plain',
    title: 'the plain server, GET',
    request: get('/'),
    servers: ['plain', 'before'],
    bars: [{ server: 'plain', to: 'before', limit: 1.03, isBound: true }],
  },
  {
    id: 'get',
    title: 'GET with a parameter, the query and a header, JSON',
    request: get('/user/123?x=1', 'X-Token: abcdef\r\n'),
    servers: ['fast', 'fetch', 'hono', 'floor', 'bun', 'deno', 'bun-hono', 'node-hono', 'node'],
    bars: [
      { server: 'fast', to: 'floor', limit: 1.35 },
      { server: 'fast', to: 'bun', limit: 0.7 },
      { server: 'fetch', to: 'bun', limit: 0.85 },
      { server: 'fetch', to: 'deno', limit: 1 },
      { server: 'hono', to: 'bun-hono', limit: 1 },
      { server: 'hono', to: 'node-hono', limit: 0.7 },
    ],
  },
  {
    id: 'post',
    title: 'POST of 1 KiB JSON, parsed and answered',
    request: `POST /items HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${ITEM.length}\r\n\r\n${ITEM}`,
    servers: ['fast', 'fetch', 'hono', 'bun', 'deno', 'bun-hono', 'node'],
    bars: [{ server: 'fetch', to: 'bun', limit: 0.85 }],
  },
  fileOf('1k', 0.8),
  fileOf('10k', 0.9),
  fileOf('100k', 1),
  fileOf('1000k', 1.3),
  {
    id: ECHO,
    title: 'WebSocket, 64 bytes echoed',
    request: ECHO,
    servers: ['fetch', 'bun', 'ws'],
    bars: [
      { server: 'fetch', to: 'bun', limit: 1 },
      { server: 'fetch', to: 'ws', limit: 0.5 },
    ],
  },
];

/** KB of 1000 bytes. */
export const FILES: readonly string[] = ['1k', '10k', '100k', '1000k'];

function fileOf(name: string, limit: number): Contest {
  return {
    id: `file-${name}`,
    title: `a file of ${name}B`,
    request: get(`/files/${name}.txt`),
    servers: ['fast', NGINX],
    bars: [{ server: 'fast', to: NGINX, limit }],
  };
}

function get(target: string, fields = ''): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`;
}
