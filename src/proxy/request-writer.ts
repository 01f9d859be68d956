/** How a request is written to an upstream: as HTTP/1.1, or in another protocol that applications speak. */
import { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { Asked, RequestHead, RequestTarget } from './request-head.ts';
import { passedTrailers } from './trailers.ts';

/** Changes the fields of a request, given as lines with their CR LF. */
export type EditLines = (lines: string, call: Call) => string;

export interface RequestWriter {
  /** Writes the head as the first bytes of `request`, with `length` of content: 0 for none, -1 if it is not known. */
  putHead(
    request: OutgoingRequest,
    asked: Asked,
    upstream: RequestTarget,
    length: number,
    edit: EditLines | null,
  ): void;
  /** Copies a piece of content, bytes[start, end). */
  putContent(request: OutgoingRequest, bytes: Buffer, start: number, end: number, length: number): void;
  /** All content has been put. */
  putEnd(request: OutgoingRequest, trailers: string, length: number): void;
  /** A whole request that asks whether the upstream works. */
  probe(path: string, host: string): Buffer;
  /** Content of an unknown length can be sent. */
  readonly takesUnknownLength: boolean;
  /** The upstream invites clients that wait for it to send their content (RFC 9110 §10.1.1). */
  readonly invites: boolean;
}

export class HttpWriter implements RequestWriter {
  readonly takesUnknownLength = true;
  readonly invites = true;
  readonly #head: RequestHead;

  constructor(head: RequestHead) {
    this.#head = head;
  }

  putHead(
    request: OutgoingRequest,
    asked: Asked,
    upstream: RequestTarget,
    length: number,
    edit: EditLines | null,
  ): void {
    this.#head.write(request, asked, upstream, length);
    if (edit !== null) editHead(request, asked.call, edit);
  }

  putContent(request: OutgoingRequest, bytes: Buffer, start: number, end: number, length: number): void {
    if (length < 0) request.putLatin1(`${(end - start).toString(16)}\r\n`);
    request.put(bytes, start, end);
    if (length < 0) request.putLatin1('\r\n');
  }

  putEnd(request: OutgoingRequest, trailers: string, length: number): void {
    if (length < 0) request.putLatin1(`0\r\n${passedTrailers(trailers)}\r\n`);
  }

  probe(path: string, host: string): Buffer {
    return Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: vrypt-server (health check)\r\nConnection: close\r\n\r\n`,
      'latin1',
    );
  }
}

function editHead(request: OutgoingRequest, call: Call, edit: EditLines): void {
  const { requestLine, fieldLines } = headOf(request);
  const edited = edit(fieldLines, call);
  request.length = 0;
  request.reserve(requestLine.length + edited.length + 2);
  request.putLatin1(`${requestLine}${edited}\r\n`);
}

/** Lines with their CR LF. The head is all that the request holds yet. */
export function headOf(request: OutgoingRequest): { requestLine: string; fieldLines: string } {
  const text = request.bytes.toString('latin1', 0, request.length);
  const lineEnd = text.indexOf('\n') + 1;
  return { requestLine: text.slice(0, lineEnd), fieldLines: text.slice(lineEnd, -2) };
}
