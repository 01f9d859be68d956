/**
 * `npm run bench:parser`: what reading one request costs, without sockets. Prints requests and bytes per second on one core, for
 * each kind of request: medians of short, interleaved rounds. `--rounds <n>`, `--millis <n>`.
 */
import { Buffer } from 'node:buffer';
import { parseArgs } from 'node:util';
import { Outcome } from '../../src/http/outcome.ts';
import { RequestParser } from '../../src/http/request-parser.ts';
import { median } from './results.ts';
import { table } from './table.ts';

const LIMITS = { maxRequestLine: 8192, maxHeaderSize: 8192, maxHeaderCount: 100, maxBodySize: 2 ** 30 };
const HOST = 'Host: localhost:8080\r\n';
const HALF = 'x'.repeat(512);

/** As a browser sends it: 13 fields, 700 bytes. */
const BROWSER = `GET /articles/2026/11/21/what-a-request-costs?ref=front&utm_source=feed HTTP/1.1\r
${HOST}Connection: keep-alive\r
Cache-Control: max-age=0\r
sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"\r
sec-ch-ua-mobile: ?0\r
sec-ch-ua-platform: "Linux"\r
Upgrade-Insecure-Requests: 1\r
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r
Sec-Fetch-Site: same-origin\r
Sec-Fetch-Mode: navigate\r
Accept-Encoding: gzip, deflate, br, zstd\r
Accept-Language: en-GB,en;q=0.9\r
Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r
\r
`;

export const KINDS: readonly (readonly [name: string, request: string])[] = [
  ['plain GET', `GET / HTTP/1.1\r\n${HOST}\r\n`],
  ['browser GET', BROWSER],
  ['POST 1 KiB', `POST /items HTTP/1.1\r\n${HOST}Content-Length: 1024\r\n\r\n${HALF}${HALF}`],
  [
    'POST 1 KiB, chunked',
    `POST /items HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n200\r\n${HALF}\r\n200\r\n${HALF}\r\n0\r\n\r\n`,
  ],
  [
    'chunked, 64 small',
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${'8\r\n12345678\r\n'.repeat(64)}0\r\n\r\n`,
  ],
];

/** Reads every request in `bytes`; returns how many there were. Throws if one is refused or unfinished. */
export function readAll(parser: RequestParser, bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    let outcome = parser.readHead(bytes, at, at, bytes.length);
    if (outcome === Outcome.complete && parser.hasBody) {
      do outcome = parser.readBody(bytes, parser.position, bytes.length);
      while (outcome === Outcome.content);
    }
    if (outcome !== Outcome.complete) throw new Error(`request ${count} was not read: ${parser.refusalReason}`);
    at = parser.position;
    parser.reset();
  }
  return count;
}

function measure(rounds: number, millis: number): string {
  const parser = new RequestParser(LIMITS);
  const cases = KINDS.map(([name, request]) => ({
    name,
    length: request.length,
    bytes: Buffer.from(request.repeat(64), 'latin1'),
  }));
  const times = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  // Round -1 warms up, with a mixture of all kinds, as a server would see.
  for (let round = -1; round < rounds; round++) {
    for (const { name, bytes } of cases) {
      let count = 0;
      const begin = process.cpuUsage();
      const end = performance.now() + millis;
      while (performance.now() < end) for (let turn = 0; turn < 20; turn++) count += readAll(parser, bytes);
      const { user, system } = process.cpuUsage(begin);
      if (round >= 0) times.get(name)?.push((1000 * (user + system)) / count);
    }
  }
  const rows = cases.map(({ name, length }) => {
    const nanos = median(times.get(name) ?? []);
    return [name, String(length), nanos.toFixed(0), (1e3 / nanos).toFixed(2), (length / nanos).toFixed(2)];
  });
  return table(['request', 'bytes', 'ns per request', 'million requests/s', 'bytes/ns'], rows);
}

if (import.meta.main) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { rounds: text, millis: text } });
  process.stdout.write(`${measure(Number(values.rounds ?? 9), Number(values.millis ?? 200))}\n`);
}
