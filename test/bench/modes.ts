/** The modes of load: what is sent, over how many connections. Pure: rows and bytes. */

export interface Mode {
  readonly id: string;
  readonly title: string;
  /** Event loops of the server. */
  readonly workers: number;
  readonly connections: number;
  /** A bar compares its cost to that of the plain mode. */
  readonly isComparedWithPlain: boolean;
  /** What a connection sends in one turn; used in order, then from the start again. */
  readonly requests: () => string[];
}

/** So many that caching recent requests does not help. */
const DIFFERENT = 20_000;
const PIPELINED = 16;
const HOST = 'Host: localhost\r\n';
const PLAIN = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const HALF = 'x'.repeat(512);
const COMPARED = ['different', 'post', 'chunked', 'workers'];

export const MODES = [
  mode('plain', 'plain keep-alive GET', () => [PLAIN]),
  mode('different', 'every request different', () => Array.from({ length: DIFFERENT }, (_, n) => different(n))),
  mode('pipelined', `pipelined ×${PIPELINED}`, () => [PLAIN.repeat(PIPELINED)]),
  mode('post', 'POST 1 KiB, Content-Length', () => [`${post('Content-Length: 1024')}${HALF}${HALF}`]),
  mode('chunked', 'POST 1 KiB, chunked', () => [
    `${post('Transfer-Encoding: chunked')}200\r\n${HALF}\r\n200\r\n${HALF}\r\n0\r\n\r\n`,
  ]),
  mode('close', 'connection per request', () => [`GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`]),
  // On the same core, so that both are always busy: this shows the cost of a second worker itself.
  mode('workers', 'plain, 2 workers on one core', () => [PLAIN], 2),
] as const satisfies readonly Mode[];

export type ModeId = (typeof MODES)[number]['id'];

/** In the form that wrk.lua reads. */
export function fileOf(requests: readonly string[]): string {
  return requests.map((request) => `${request.length} ${request}`).join('');
}

function mode<Id extends string>(id: Id, title: string, requests: () => string[], workers = 1): Mode & { id: Id } {
  const isComparedWithPlain = COMPARED.includes(id);
  return { id, title, workers, connections: 64, isComparedWithPlain, requests };
}

function different(n: number): string {
  const mixed = (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(36).padStart(7, '0');
  return `GET /items/${mixed}?page=${n}&order=${mixed.slice(3)} HTTP/1.1\r\n${HOST}X-Request-Id: ${mixed}-${n}\r\n\r\n`;
}

function post(framing: string): string {
  return `POST /items HTTP/1.1\r\n${HOST}Content-Type: text/plain\r\n${framing}\r\n\r\n`;
}
