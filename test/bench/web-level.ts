/**
 * `npm run bench:web`: what the web level's objects cost, without sockets: CPU time in nanoseconds, ours and Node's own.
 * The best of short, interleaved rounds: disturbances only make a round longer. `--rounds <n>`, `--millis <n>`.
 */
import { parseArgs } from 'node:util';
import { Hono } from 'hono';
import { Headers, LazyRequest, Origin, Request, Response, responseParts } from '../../src/fetch/index.ts';
import type { RequestSource } from '../../src/fetch/source.ts';
import { table } from './table.ts';

type Work = () => unknown;

const NODES = {
  Headers: globalThis.Headers,
  Request: globalThis.Request,
  Response: globalThis.Response,
};

/** A call whose fields are constants, so that the cost of the call itself is left out. */
class Source implements RequestSource {
  method = 'GET';
  target = '/user/123?x=1';
  body = {
    length: 0,
    now: null,
    takeText: () => null,
    bytes: async () => new Uint8Array(0),
    stream: () => new ReadableStream(),
  };
  remote = { address: '127.0.0.1' };
  params = {};
  signal = new AbortController().signal;
  waitUntil(): void {}

  header(name: string): string | null {
    return name === 'host' ? 'localhost:3000' : name === 'x-token' ? 'abcdef' : null;
  }

  fields(): Iterable<readonly [string, string]> {
    return [
      ['Host', 'localhost:3000'],
      ['X-Token', 'abcdef'],
      ['Accept', '*/*'],
    ];
  }
}

const source = new Source();
const origin = new Origin('http', 'localhost:3000');
const URL_TEXT = 'http://localhost:3000/user/123?x=1';
const TWO = { 'Content-Type': 'application/json', 'X-Id': '123' };
const THREE = { ...TWO, 'Cache-Control': 'no-store' };
const SIX = { a: '1', b: '2', c: '3', d: '4', e: '5', f: '6' };
const ours = new Headers(SIX);
const nodes = new NODES.Headers(SIX);

const app = new Hono();
app.get('/user/:id', (c) => {
  c.header('X-Id', c.req.param('id'));
  return c.json({ token: c.req.header('x-token'), x: c.req.query('x') });
});

const KINDS: readonly (readonly [name: string, ours: Work, nodes: Work | null])[] = [
  ['Request', () => new LazyRequest(source, origin), () => new NODES.Request(URL_TEXT, { headers: SIX })],
  [
    'Request, url, one header',
    () => seen(new LazyRequest(source, origin)),
    () => seen(new NODES.Request(URL_TEXT, { headers: SIX })),
  ],
  [
    'Request of a program, 6 headers',
    () => new Request(URL_TEXT, { headers: SIX }),
    () => new NODES.Request(URL_TEXT, { headers: SIX }),
  ],
  ['Response(text), parts', () => responseParts(new Response('text')), () => new NODES.Response('text')],
  [
    'Response(text, 2 headers), parts',
    () => responseParts(new Response('text', { headers: TWO })),
    () => new NODES.Response('text', { headers: TWO }),
  ],
  [
    'Response(text, 3 headers), parts',
    () => responseParts(new Response('text', { headers: THREE })),
    () => new NODES.Response('text', { headers: THREE }),
  ],
  ['Response.json, parts', () => responseParts(Response.json(5)), () => NODES.Response.json(5)],
  ['the pair: Request, url, header, Response(text, 2), parts', pair, null],
  ['new Headers(6)', () => new Headers(SIX), () => new NODES.Headers(SIX)],
  ['headers.get', () => ours.get('C'), () => nodes.get('C')],
  ['headers.set', () => ours.set('C', 'x'), () => nodes.set('C', 'x')],
  ['new Headers(6), iterated', () => [...new Headers(SIX)], () => [...new NODES.Headers(SIX)]],
  ['Hono: parameter, header, query, JSON', hono, null],
]; // prettier-ignore

let sink: unknown;

function seen(request: { readonly url: string; readonly headers: { get(name: string): string | null } }): string {
  return request.url + request.headers.get('x-token');
}

function pair(): unknown {
  const request = new LazyRequest(source, origin);
  const token = request.headers.get('x-token') as string;
  return responseParts(new Response(request.url, { headers: { 'Content-Type': 'text/plain', 'X-Token': token } }));
}

function hono(): unknown {
  return responseParts(app.fetch(new LazyRequest(source, origin) as never));
}

function nanosOf(work: Work, millis: number): number {
  let count = 0;
  const begin = process.cpuUsage();
  const end = performance.now() + millis;
  while (performance.now() < end) {
    for (let turn = 0; turn < 500; turn++) sink = work();
    count += 500;
  }
  const { user, system } = process.cpuUsage(begin);
  return (1000 * (user + system)) / count;
}

function measure(rounds: number, millis: number): string {
  const times = KINDS.map(() => ({ ours: [] as number[], nodes: [] as number[] }));
  // Round -1 warms up, with a mixture of all kinds, as a server would see.
  for (let round = -1; round < rounds; round++) {
    for (const [index, [, work, other]] of KINDS.entries()) {
      const [mine, theirs] = [nanosOf(work, millis), other === null ? Number.NaN : nanosOf(other, millis)];
      if (round < 0) continue;
      times[index]?.ours.push(mine);
      times[index]?.nodes.push(theirs);
    }
  }
  const rows = KINDS.map(([name, , other], index) => [
    name,
    Math.min(...(times[index]?.ours ?? [])).toFixed(0),
    other === null ? '–' : Math.min(...(times[index]?.nodes ?? [])).toFixed(0),
  ]);
  return table(['what', 'ns', "Node's, ns"], rows);
}

if (import.meta.main) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { rounds: text, millis: text } });
  Object.assign(globalThis, { Headers, Request, Response });
  process.stdout.write(`${measure(Number(values.rounds ?? 9), Number(values.millis ?? 50))}\n`);
  if (sink === NODES) throw new Error('unreachable');
}
