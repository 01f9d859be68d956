/**
 * Writes requests for FastCGI applications: what an HTTP upstream would get, as the variables of CGI (RFC 3875 §4.1), and the content
 * as its input.
 */
import type { Buffer } from 'node:buffer';
import type { ForwardedClient } from '../content/forwarded.ts';
import type { Call } from '../engine/call.ts';
import { encodeParams, type Param } from '../fastcgi/params.ts';
import { BEGIN_LENGTH, HEADER_LENGTH, MAX_CONTENT, putBegin, putHeader, RecordType } from '../fastcgi/records.ts';
import { OutgoingRequest } from './outgoing-request.ts';
import type { Asked, RequestHead, RequestTarget } from './request-head.ts';
import { type EditLines, headOf, type RequestWriter } from './request-writer.ts';
import type { FastCgiSettings } from './settings.ts';

/** Which program of an application a request is for. Texts are bytes of UTF-8, one a character. */
export interface CgiScript {
  /** Absolute, as the application sees it; '': it has no files. */
  readonly file: string;
  /** Of the URL, decoded: what leads to the program … */
  readonly name: string;
  /** … and what follows. */
  readonly pathInfo: string;
  readonly documentRoot: string;
  readonly query: string;
}

/** Said by variables of their own, or of no concern to an application. */
const NOT_PASSED = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'te',
  'transfer-encoding',
  'upgrade',
]);
/** Other names could be taken for these: CGI reads "_" as "-". */
const PLAIN_NAME = /^[A-Za-z0-9-]+$/;

export class FastCgiWriter implements RequestWriter {
  readonly takesUnknownLength = false;
  readonly invites = false;
  readonly #head: RequestHead;
  readonly #settings: FastCgiSettings;
  readonly #clientOf: (call: Call) => ForwardedClient | null;
  /** Holds the head that an HTTP upstream would get. */
  readonly #scratch = new OutgoingRequest();

  /** `clientOf`: behind proxies, if any are trusted. */
  constructor(head: RequestHead, settings: FastCgiSettings, clientOf: (call: Call) => ForwardedClient | null) {
    this.#head = head;
    this.#settings = settings;
    this.#clientOf = clientOf;
  }

  putHead(
    request: OutgoingRequest,
    asked: Asked,
    upstream: RequestTarget,
    length: number,
    edit: EditLines | null,
  ): void {
    const scratch = this.#scratch;
    this.#head.write(scratch, asked, upstream, length);
    const { fieldLines } = headOf(scratch);
    const { call } = asked;
    request.isIdempotent = scratch.isIdempotent;
    request.expectsContinue = scratch.expectsContinue;
    request.nameLine(`${call.method} ${call.target}`);
    this.#putParams(request, this.#paramsOf(asked, edit === null ? fieldLines : edit(fieldLines, call), length));
    if (length === 0) putStdinEnd(request);
  }

  putContent(request: OutgoingRequest, bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; from += MAX_CONTENT) {
      const to = Math.min(from + MAX_CONTENT, end);
      request.reserve(HEADER_LENGTH);
      request.length = putHeader(request.bytes, request.length, RecordType.stdin, to - from);
      request.put(bytes, from, to);
    }
  }

  putEnd(request: OutgoingRequest): void {
    putStdinEnd(request);
  }

  probe(path: string, host: string): Buffer {
    const request = new OutgoingRequest();
    const params: Param[] = [
      ...commonParams('GET', 'http', host),
      ['SERVER_PROTOCOL', 'HTTP/1.1'],
      ['SCRIPT_NAME', path],
      ['SCRIPT_FILENAME', `${this.#settings.documentRoot}${path}`],
      ['DOCUMENT_ROOT', this.#settings.documentRoot],
      ['REQUEST_URI', path],
      ['QUERY_STRING', ''],
      ['REMOTE_ADDR', '127.0.0.1'],
      ['HTTP_HOST', host],
      ['HTTP_USER_AGENT', 'vrypt-server (health check)'],
    ];
    this.#putParams(request, params);
    putStdinEnd(request);
    return request.takeUnsent();
  }

  #putParams(request: OutgoingRequest, params: readonly Param[]): void {
    const encoded = encodeParams(params);
    request.length = 0;
    request.reserve(BEGIN_LENGTH + encoded.length + HEADER_LENGTH);
    request.length = putBegin(request.bytes, 0, this.#settings.keepsConnections);
    request.put(encoded, 0, encoded.length);
  }

  #paramsOf({ call, scheme, script }: Asked, lines: string, length: number): Param[] {
    const fields = new Map<string, string>();
    for (const line of lines.split('\r\n')) {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
      if (!PLAIN_NAME.test(name)) continue;
      const value = line.slice(colon + 1).trim();
      const before = fields.get(name);
      // RFC 9110 §5.3, RFC 6265 §5.4.
      fields.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
    }
    const client = this.#clientOf(call);
    const params = commonParams(call.method, client?.proto ?? scheme, fields.get('host') ?? '');
    const { file, name, pathInfo, documentRoot, query } = script ?? noScript(call);
    params.push(
      ['SERVER_PROTOCOL', `HTTP/${call.version === '2' ? '2.0' : call.version}`],
      ['REQUEST_URI', call.query === '' ? call.path : `${call.path}?${call.query}`],
      ['QUERY_STRING', query],
      ['SCRIPT_NAME', name],
      ['DOCUMENT_URI', `${name}${pathInfo}`],
      ['REMOTE_ADDR', client?.address ?? call.remote.address],
    );
    if (file !== '') params.push(['SCRIPT_FILENAME', file], ['DOCUMENT_ROOT', documentRoot]);
    if (pathInfo !== '') params.push(['PATH_INFO', pathInfo], ['PATH_TRANSLATED', `${documentRoot}${pathInfo}`]);
    if (length > 0) params.push(['CONTENT_LENGTH', String(length)]);
    const type = fields.get('content-type');
    if (type !== undefined) params.push(['CONTENT_TYPE', type]);
    for (const [field, value] of fields) {
      if (!NOT_PASSED.has(field)) params.push([`HTTP_${field.toUpperCase().replaceAll('-', '_')}`, value]);
    }
    return params;
  }
}

function commonParams(method: string, scheme: string, host: string): Param[] {
  const [, name = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const params: Param[] = [
    ['GATEWAY_INTERFACE', 'CGI/1.1'],
    ['SERVER_SOFTWARE', 'vrypt-server'],
    ['REQUEST_METHOD', method],
    ['REQUEST_SCHEME', scheme],
    ['SERVER_NAME', name],
    ['SERVER_PORT', port ?? (scheme === 'https' ? '443' : '80')],
    // PHP's CGI program refuses to run without.
    ['REDIRECT_STATUS', '200'],
  ];
  if (scheme === 'https') params.push(['HTTPS', 'on']);
  return params;
}

/** An application that finds its own way. */
function noScript({ path, query }: Call): CgiScript {
  return { file: '', name: '', pathInfo: path, documentRoot: '', query };
}

function putStdinEnd(request: OutgoingRequest): void {
  request.reserve(HEADER_LENGTH);
  request.length = putHeader(request.bytes, request.length, RecordType.stdin, 0);
}
