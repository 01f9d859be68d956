/**
 * Reads what a server has sent, strictly: each response must be complete, with exactly the fields that the server's answers
 * have, or this throws. The result is short enough to compare and to show.
 */
import type { Buffer } from 'node:buffer';
import { REFUSALS, type RefusalReason } from '../../src/http/refusals.ts';
import { reasonPhrase } from '../../src/http/status.ts';
import type { ExpectedResponse } from './load-cases.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const CONTENT = 'Vrypt';
/** How old a Date may be. The server's clock ticks four times a second, and the machine may be busy. */
const MAX_AGE_MS = 10_000;
const IMF_FIXDATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

/**
 * The responses in `bytes`, in the form of a case's lines. `expected` says which of them have no content; any further ones
 * have some.
 */
export function readResponses(bytes: Buffer, expected: readonly ExpectedResponse[]): string[] {
  const text = bytes.toString('latin1');
  const lines: string[] = [];
  let awaited = 0;
  let at = 0;
  while (at < text.length) {
    if (text.startsWith(CONTINUE, at)) {
      lines.push('100');
      if (expected[awaited]?.status === 100) awaited++;
      at += CONTINUE.length;
      continue;
    }
    while (expected[awaited]?.isOptional) awaited++;
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0) throw new Error(`an unfinished head: ${JSON.stringify(text.slice(at))}`);
    const head = readHead(text.slice(at, headEnd));
    at = headEnd + 4;
    const isWithoutContent = expected[awaited]?.isWithoutContent ?? false;
    const contentEnd = isWithoutContent ? at : at + head.length;
    if (contentEnd > text.length)
      throw new Error(`content of ${head.length} bytes is incomplete: ${JSON.stringify(text.slice(at))}`);
    const content = text.slice(at, contentEnd);
    lines.push(describe(head, isWithoutContent ? null : content, expected[awaited]?.cause ?? null));
    at = contentEnd;
    awaited++;
  }
  return lines;
}

/** The number of complete responses at the start of `bytes`, for a client that waits for them. */
export function countResponses(bytes: Buffer, expected: readonly ExpectedResponse[]): number {
  for (let length = bytes.length; length > 0; length--) {
    try {
      return readResponses(bytes.subarray(0, length), expected).length;
    } catch {}
  }
  return 0;
}

/** The line of a case that an expected response comes from. */
export function lineOf(response: ExpectedResponse): string {
  const { status, cause, isWithoutContent, closes } = response;
  let line = String(status);
  if (cause !== null) line += ` ${cause}`;
  if (isWithoutContent) line += ' without content';
  if (cause === null && closes) line += ' close';
  return line;
}

/** The expected lines; an optional response is included if it was sent. */
export function linesOf(expected: readonly ExpectedResponse[], actual: readonly string[]): string[] {
  const lines: string[] = [];
  for (const response of expected) {
    if (!response.isOptional || actual[lines.length] === lineOf(response)) lines.push(lineOf(response));
  }
  return lines;
}

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly length: number;
  readonly closes: boolean;
}

function readHead(text: string): Head {
  const [statusLine = '', ...fieldLines] = text.split('\r\n');
  const match = /^HTTP\/1\.1 (\d{3}) ([A-Za-z ]+)$/.exec(statusLine);
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  const fields = new Map<string, string>();
  for (const line of fieldLines) {
    const field = /^([A-Za-z-]+): ([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)$/.exec(line);
    if (field === null) throw new Error(`not a field line: ${JSON.stringify(line)}`);
    const [, name, value] = field as unknown as [string, string, string];
    if (fields.has(name)) throw new Error(`${name} must not be repeated`);
    fields.set(name, value);
  }
  const take = (name: string) => {
    const value = fields.get(name);
    fields.delete(name);
    return value ?? null;
  };
  const length = take('Content-Length');
  if (length === null || !/^(0|[1-9]\d*)$/.test(length)) throw new Error(`Content-Length is ${length}`);
  if (take('Content-Type') !== 'text/plain') throw new Error('Content-Type is not text/plain');
  checkDate(take('Date'));
  const connection = take('Connection');
  if (connection !== 'close' && connection !== 'keep-alive') throw new Error(`Connection is ${connection}`);
  const hint = take('Keep-Alive');
  if (hint !== null && (connection === 'close' || !/^timeout=[1-9]\d*$/.test(hint))) {
    throw new Error(`Keep-Alive is ${hint}, with Connection: ${connection}`);
  }
  if (fields.size > 0) throw new Error(`unknown fields: ${[...fields.keys()].join(', ')}`);
  return {
    status: Number(match[1]),
    reason: match[2] as string,
    length: Number(length),
    closes: connection === 'close',
  };
}

/** RFC 9110 §5.6.7 and §6.6.1. */
function checkDate(date: string | null): void {
  if (date === null || !IMF_FIXDATE.test(date)) throw new Error(`Date is not an IMF-fixdate: ${date}`);
  const time = Date.parse(date);
  if (new Date(time).toUTCString() !== date) throw new Error(`no such day: ${date}`);
  const age = Date.now() - time;
  if (age < 0 || age > MAX_AGE_MS) throw new Error(`Date is ${age} ms old: ${date}`);
}

function describe(head: Head, content: string | null, likelyCause: RefusalReason | null): string {
  const without = content === null ? ' without content' : '';
  if (head.status === 200) {
    if (head.reason !== 'OK') throw new Error(`the reason of 200 is ${head.reason}`);
    if (head.length !== CONTENT.length || (content ?? CONTENT) !== CONTENT) throw new Error(`content is ${content}`);
    return `200${without}${head.closes ? ' close' : ''}`;
  }
  // Without content only its length is known.
  const fits = (cause: RefusalReason) => {
    const { status, text } = REFUSALS[cause];
    const reason = reasonPhrase(status);
    const refusal = `${status} ${reason}: ${text}\n`;
    return (
      status === head.status &&
      reason === head.reason &&
      refusal.length === head.length &&
      (content ?? refusal) === refusal
    );
  };
  const causes = (Object.keys(REFUSALS) as RefusalReason[]).filter(fits);
  const cause = likelyCause !== null && causes.includes(likelyCause) ? likelyCause : causes[0];
  if (cause === undefined) throw new Error(`not one of our refusals: ${head.status} ${head.reason} ${content}`);
  if (!head.closes) throw new Error(`a refusal without "Connection: close": ${cause}`);
  return `${head.status} ${cause}${without}`;
}
