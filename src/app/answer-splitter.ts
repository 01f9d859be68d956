/** Counts the requests in a client's bytes, and cuts a server's into answers (RFC 9112 §6.3), without changing any. */
import type { Buffer } from 'node:buffer';
import type { RequestLimits } from '../http/limits.ts';
import { Outcome } from '../http/outcome.ts';
import { RequestParser } from '../http/request-parser.ts';

/** For each complete request: whether its answer has no content because it was asked by HEAD. Ends where one is not valid. */
export function requestsIn(bytes: Buffer, limits: RequestLimits): boolean[] {
  const parser = new RequestParser(limits);
  const requests: boolean[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (parser.readHead(bytes, at, at, bytes.length) !== Outcome.complete) break;
    at = parser.position;
    if (parser.hasBody) {
      let outcome = parser.readBody(bytes, at, bytes.length);
      while (outcome === Outcome.content) outcome = parser.readBody(bytes, parser.position, bytes.length);
      if (outcome !== Outcome.complete) break;
      at = parser.position;
    }
    requests.push(parser.isHead);
    parser.reset();
  }
  return requests;
}

/** The complete answers in `bytes`, each with the interim ones before it; `isClosed`: nothing more will come. */
export function answersIn(bytes: Buffer, isHead: readonly boolean[], isClosed: boolean): Buffer[] {
  const answers: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    let at = start;
    let end: number | null;
    do {
      const headEnd = bytes.indexOf('\r\n\r\n', at);
      if (headEnd < 0) return answers;
      const head = bytes.toString('latin1', at, headEnd + 2);
      const status = Number(head.slice(9, 12));
      at = headEnd + 4;
      if (status >= 200 || status === 101) end = endOfContent(bytes, at, head, status, isHead[answers.length] === true);
      else end = null;
      if (end === null && (status >= 200 || status === 101)) {
        if (!isClosed) return answers;
        end = bytes.length;
      }
    } while (end === null);
    answers.push(bytes.subarray(start, end));
    start = end;
  }
  return answers;
}

/** Null: not all of it has come, or only the connection's end ends it. */
function endOfContent(bytes: Buffer, at: number, head: string, status: number, isHead: boolean): number | null {
  if (isHead || status === 204 || status === 304) return at;
  // What follows is no longer HTTP.
  if (status === 101) return bytes.length;
  if (/^transfer-encoding:/im.test(head)) return endOfChunks(bytes, at);
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  if (length === undefined) return null;
  const end = at + Number(length);
  return end <= bytes.length ? end : null;
}

function endOfChunks(bytes: Buffer, from: number): number | null {
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2 + size + 2;
    if (size === 0) return at <= bytes.length ? at : null;
    if (at > bytes.length) return null;
  }
}
