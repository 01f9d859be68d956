/**
 * What the library makes and reads beside requests, with inputs made at random from a seed: answers, multipart, ranges, cookies,
 * queries, tags and dates. Frames have test/websocket/fuzz.test.ts. `FUZZ_SEED` and `FUZZ_COUNT` choose other runs.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import { parseCookies, setCookie } from '../../src/content/cookies.ts';
import { isEntityTag, listHasTag, matchesWeakly } from '../../src/content/entity-tags.ts';
import { formatHttpDate, parseHttpDate } from '../../src/content/http-date.ts';
import { type MultipartFault, type MultipartLimits, MultipartParser } from '../../src/content/multipart.ts';
import { parseQuery, queryValue } from '../../src/content/query.ts';
import { byteRangeParts, parseRange } from '../../src/content/ranges.ts';
import { Answer, type Reply, reply, stream, test as testApp } from '../../src/index.ts';
import { Random } from './random.ts';

vi.setConfig({ testTimeout: 120_000 });

const SEED = Number(process.env['FUZZ_SEED'] ?? 20261126);
const COUNT = Number(process.env['FUZZ_COUNT'] ?? 1000);

/** Pieces that grammars are made of, and what breaks them. */
const BITS = [
  ...[
    'a',
    'B',
    '0',
    '9',
    '-',
    '_',
    '=',
    ';',
    ',',
    ' ',
    '\t',
    '"',
    '\\',
    '%',
    '%2',
    '%41',
    '%C3%A9',
    '+',
    '&',
    '/',
    ':',
    '*',
  ],
  ...[
    '\r',
    '\n',
    '\r\n',
    '\0',
    '\x7f',
    'é',
    '\u0100',
    '😀',
    '\ud800',
    'W/',
    '--',
    'bytes=',
    '0-',
    '-1',
    '1-2',
    '99999999999999999999',
  ],
  ...['Content-Length', 'Set-Cookie', 'X-A', 'transfer-encoding', 'GMT', 'Sun, 06 Nov 1994 08:49:37 GMT'],
];

function text(random: Random, most: number): string {
  let made = '';
  for (let left = random.below(most + 1); left > 0; left--) made += random.pick(BITS);
  return made;
}

function each(about: string, run: (random: Random) => void): void {
  test(about, () => {
    for (let index = 0; index < COUNT; index++) {
      const seed = SEED + index;
      try {
        run(new Random(seed));
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}

test('an answer is refused where it is made, or is exactly one answer with exactly its fields', async () => {
  let next: Reply = reply(200);
  const server = await testApp({ handle: () => next });
  onTestFinished(() => server.close());
  let sent = 0;
  for (let index = 0; index < COUNT; index++) {
    const random = new Random(SEED + index);
    const status = random.oneIn(8)
      ? random.below(1200) - 100
      : random.pick([200, 204, 205, 206, 301, 304, 404, 500, 599]);
    const fields = Array.from({ length: random.below(4) }, (): [string, string] => [
      random.oneIn(3) ? text(random, 3) : `X-${random.below(3)}`,
      text(random, 4),
    ]);
    const content = random.oneIn(2) ? text(random, 6).toWellFormed() : '';
    try {
      next = make(random, status, fields, content);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      continue;
    }
    sent++;
    const isHead = random.oneIn(4);
    const [bytes, ...others] = await server.send(`${isHead ? 'HEAD' : 'GET'} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(others).toEqual([]);
    const answer = (bytes as Buffer).toString('latin1');
    const end = answer.indexOf('\r\n\r\n');
    const [start, ...lines] = answer.slice(0, end).split('\r\n');
    expect(start).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\t -~]*$`));
    const given = lines.filter(
      (line) => !/^(Date|Content-Length|Transfer-Encoding|Connection|Keep-Alive): /.test(line),
    );
    // The wire has no other characters than bytes, and white space around a value is not part of it.
    expect(given).toEqual(fields.map(([name, value]) => `${name}: ${value}`));
    for (const line of lines) expect(line).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*$/);
    const body = Buffer.from(answer.slice(end + 4), 'latin1');
    const isChunked = lines.includes('Transfer-Encoding: chunked');
    const whole = isChunked && !isHead ? unchunked(body) : body.toString();
    expect(whole).toBe(isHead ? '' : content);
    const length = lines.find((line) => line.startsWith('Content-Length: '))?.slice(16);
    if (length !== undefined) expect(Number(length)).toBe(Buffer.byteLength(content));
  }
  expect(sent).toBeGreaterThan(COUNT / 20);
});

function make(random: Random, status: number, fields: [string, string][], content: string): Reply {
  const kind = random.below(4);
  if (kind === 0) return new Answer(status, fields, content);
  if (kind === 1) return reply(status, fields, random.oneIn(2) ? content : Buffer.from(content));
  const source = (out: { write(piece: string): unknown }) => void out.write(content);
  return kind === 2 ? stream(status, fields, source) : stream(status, fields, source, Buffer.byteLength(content));
}

function unchunked(bytes: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (!(size >= 0)) throw new Error(`no chunk size at ${at} of ${bytes.toString('latin1')}`);
    if (size === 0) {
      expect(bytes.toString('latin1', end)).toBe('\r\n\r\n');
      return Buffer.concat(pieces).toString();
    }
    pieces.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

const FORM_LIMITS: MultipartLimits = {
  maxParts: 4,
  maxHeaderBytes: 200,
  maxFieldBytes: 40,
  maxFileBytes: 80,
  maxTotalBytes: 600,
};

function form(random: Random): Buffer {
  let made = random.oneIn(8) ? text(random, 3) : '';
  for (let parts = random.below(6); parts > 0; parts--) {
    const name = random.oneIn(6) ? text(random, 3) : 'a';
    const file = random.oneIn(2) ? `; filename="${random.oneIn(4) ? text(random, 3) : 'f.txt'}"` : '';
    made += `--B\r\nContent-Disposition: form-data; name="${name}"${file}\r\n`;
    if (random.oneIn(4)) made += `${random.pick(BITS)}: ${text(random, 2)}\r\n`;
    made += `\r\n${random.oneIn(5) ? '\r\n--' : ''}${text(random, 12)}\r\n`;
  }
  made += random.oneIn(10) ? '--B' : '--B--\r\n';
  const bytes = Buffer.from(made);
  for (let changes = random.oneIn(2) ? random.below(4) : 0; changes > 0; changes--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return bytes;
}

function parts(pieces: readonly Uint8Array[]): { events: string[]; fault: MultipartFault | null } {
  const events: string[] = [];
  let content = '';
  const parser = new MultipartParser(
    'B',
    {
      onPart: (head) => void events.push(JSON.stringify(head)),
      onData: (bytes) => {
        content += Buffer.from(bytes).toString('latin1');
      },
      onPartEnd: () => {
        events.push(content);
        content = '';
      },
    },
    FORM_LIMITS,
  );
  for (const piece of pieces) {
    // The parser must not keep views of what it is given.
    const given = Uint8Array.from(piece);
    parser.push(given);
    given.fill(0xff);
  }
  return { events, fault: parser.end() };
}

each('multipart gives the same parts or the same fault however it is cut, within its limits', (random) => {
  const bytes = form(random);
  const whole = parts([bytes]);
  expect(parts(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random.below(30));
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  expect(parts(pieces)).toEqual(whole);
  expect(whole.events.length).toBeLessThanOrEqual(2 * FORM_LIMITS.maxParts);
  for (const event of whole.events) expect(event.length).toBeLessThan(700);
});

each('ranges lie inside the content, do not overlap, and their answer is as long as it says', (random) => {
  const length = random.pick([0, 1, 2, 10, 1000]);
  const number = () => (random.oneIn(5) ? '' : String(random.below(random.oneIn(3) ? 2000 : length + 2)));
  const list = Array.from({ length: 1 + random.below(6) }, () =>
    random.oneIn(9) ? text(random, 3) : `${number()}-${number()}`,
  );
  const value = `${random.oneIn(9) ? text(random, 2) : 'bytes='}${list.join(random.pick([',', ', ', ' ,']))}`;
  const ranges = parseRange(value, length);
  if (typeof ranges === 'string') return;
  expect(ranges.length).toBeGreaterThan(0);
  const covered = new Set<number>();
  for (const { start, end } of ranges) {
    expect([start >= 0, start <= end, end < length]).toEqual([true, true, true]);
    for (let at = start; at <= end; at++) {
      expect(covered.has(at)).toBe(false);
      covered.add(at);
    }
  }
  const made = byteRangeParts(ranges, length, 'text/plain');
  const sizes = made.pieces.map((piece) => ('start' in piece ? piece.end - piece.start + 1 : piece.length));
  expect(sizes.reduce((sum, size) => sum + size)).toBe(made.length);
});

each('cookies: any field is read, and what is set comes back', (random) => {
  const cookies = parseCookies(text(random, 12));
  for (const [name] of cookies) expect(name).not.toMatch(/^[ \t]|[ \t]$|^$|[=;]/);
  const value = text(random, 6);
  const name = random.oneIn(2) ? 'a' : text(random, 2);
  let set = '';
  try {
    set = setCookie(name, value, random.oneIn(3) ? { path: text(random, 2), domain: text(random, 2) } : {});
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return;
  }
  expect(set).toMatch(/^[!-~ ]+$/);
  const [pair = ''] = set.split('; ');
  expect(parseCookies(`first=1; ${pair}; last=2`).get(name)).toBe(value.toWellFormed());
  expect(set.split(';').length).toBeLessThanOrEqual(3);
});

each('queries are read as URLSearchParams reads them', (random) => {
  // As on the wire: Node's URLSearchParams reads raw characters beyond Latin-1 wrongly beside a broken escape.
  const query = text(random, 12)
    .toWellFormed()
    .replace(/[^\0-\x7f]+/g, encodeURIComponent);
  const expected = [...new URLSearchParams(`?${query}`)];
  expect([...parseQuery(query)]).toEqual(expected);
  const name = expected[random.below(expected.length + 1)]?.[0] ?? 'none';
  expect(queryValue(query, name)).toBe(new URLSearchParams(`?${query}`).get(name));
});

each('tags and dates: nothing throws, and what we write we read', (random) => {
  const list = text(random, 10);
  expect(typeof listHasTag(list, '"a"', matchesWeakly)).toBe('boolean');
  const tag = `"${text(random, 3)}"`;
  if (isEntityTag(tag)) expect(listHasTag(`"x", ${tag} ,"y"`, tag, matchesWeakly)).toBe(true);
  const date = parseHttpDate(text(random, 6));
  expect(date === null || Number.isFinite(date)).toBe(true);
  const ms = random.next() * 50_000;
  expect(parseHttpDate(formatHttpDate(ms))).toBe(Math.floor(ms / 1000) * 1000);
});
