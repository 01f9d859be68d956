/** Helpers for answers that a handler makes itself: redirects, preconditions, compression. */
import { Buffer } from 'node:buffer';
import { evaluatePreconditions, type Validators } from '../content/conditional.ts';
import { chooseEncoding, encodeLater, encodeNow, encodeStream, MAX_SYNC_BYTES } from '../content/encoding.ts';
import { formatHttpDate } from '../content/http-date.ts';
import { type RedirectStatus, redirect as redirectFields } from '../content/redirect.ts';
import { type Content, stream } from '../engine/stream-reply.ts';
import { Response as OurResponse, responseParts } from '../fetch/index.ts';
import { type Fields, pairsOf } from '../http/fields.ts';
import { reply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import type { Awaitable, Call } from './app.ts';
import { type Asked, headerOf } from './asked.ts';

type FieldList = (readonly [name: string, value: string])[];

/**
 * A redirect (RFC 9110 §15.4); `status` defaults to 302, and `location` may be relative. Throws a RangeError for control
 * characters and for schemes that run code; other characters that a URI cannot hold are percent-encoded. For a location that
 * comes from a client, see `localTarget`.
 */
export function redirect(location: string, status: RedirectStatus = 302, fields: Fields = {}): Reply {
  return reply(status, [...redirectFields(location, status).fields, ...pairsOf(fields)]);
}

/**
 * Evaluates all five preconditions but If-Range in the order of RFC 9110 §13.2.2. Null: proceed; otherwise the answer, 304 or
 * 412. `current` is what the target holds now, null if it does not exist; `fields` are those that the answer 200 would have, of
 * which a 304 repeats what caches need. Call it before a change is made, and only if the answer would be 2xx without it.
 */
export function precondition(asked: Call, current: Validators | null, fields?: Fields): Reply | null;
export function precondition(asked: Request, current: Validators | null, fields?: Fields): Response | null;
export function precondition(asked: Asked, current: Validators | null, fields: Fields = {}): Reply | Response | null {
  const isWeb = 'headers' in asked;
  const request = { method: asked.method, header: (name: string) => headerOf(asked, name) };
  const status = evaluatePreconditions(request, current);
  if (status === 0) return null;
  const kept = status === 304 ? [...validatorFields(current), ...fieldsFor304(fields)] : [];
  if (isWeb) return new OurResponse(null, { status, headers: kept as [string, string][] }) as unknown as Response;
  return reply(status, kept);
}

/** ETag and Last-Modified, for the answers that have the content. */
export function validatorFields(current: Validators | null): [name: string, value: string][] {
  const fields: [string, string][] = [];
  if (current?.etag != null) fields.push(['ETag', current.etag]);
  if (current?.lastModified != null) fields.push(['Last-Modified', formatHttpDate(current.lastModified)]);
  return fields;
}

/** A strong entity tag (RFC 9110 §8.8.3) made from the content: equal bytes, equal tag. */
export function entityTag(content: Content): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`;
}

/**
 * An answer whose content is compressed if that is worth it and the client accepts it: zstd, br or gzip. Vary is added, a strong
 * ETag made weak. Left as they are: fewer than 512 bytes, types that do not shrink, statuses without content or with a
 * part of it, answers with a Content-Encoding, a Content-Range or `Cache-Control: no-transform`. A promise for more than 64 KiB,
 * which are compressed in another thread; a stream is flushed after each piece.
 */
export function compressed(
  call: Call,
  status: number,
  fields: Fields,
  content: Content | AsyncIterable<Content> | ReadableStream<Uint8Array>,
): Awaitable<Reply> {
  const given = [...pairsOf(fields)];
  const accepted = call.header('accept-encoding');
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
    const { coding, fields: chosen } = chooseEncoding(status, given, null, accepted);
    return stream(status, chosen, coding === 'identity' ? content : encodeStream(bytesOf(content), coding));
  }
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const { coding, fields: chosen } = chooseEncoding(status, given, bytes.length, accepted);
  if (coding === 'identity') return reply(status, chosen, bytes);
  if (bytes.length <= MAX_SYNC_BYTES) return reply(status, chosen, encodeNow(bytes, coding));
  return encodeLater(bytes, coding).then((encoded) => reply(status, chosen, encoded));
}

/** The same for the web level: a new response with the content of `response`, which is used up. */
export async function compressResponse(request: Request, response: Response): Promise<Response> {
  const parts = responseParts(response);
  const given: FieldList = [];
  for (let at = 0; at < parts.fields.length; at += 3)
    given.push([parts.fields[at + 1] as string, parts.fields[at + 2] as string]);
  const { status, statusText, content } = parts;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const length = bytes === null ? 0 : bytes instanceof Uint8Array ? bytes.length : null;
  const { coding, fields: headers } = chooseEncoding(status, given, length, request.headers.get('accept-encoding'));
  let body: Uint8Array | AsyncIterable<Uint8Array> | ReadableStream | null = bytes;
  if (coding !== 'identity' && bytes !== null) {
    if (!(bytes instanceof Uint8Array)) body = ReadableStream.from(encodeStream(bytesOf(bytes), coding));
    else body = bytes.length <= MAX_SYNC_BYTES ? encodeNow(bytes, coding) : await encodeLater(bytes, coding);
  }
  const init = { status, statusText, headers: headers as [string, string][] };
  return new OurResponse(body as never, init) as unknown as Response;
}

/** What describes the content that a 304 leaves out (RFC 9110 §15.4.5), and what `validatorFields` adds. */
const NOT_IN_304: ReadonlySet<string> = new Set([
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
]);

function* fieldsFor304(fields: Fields): Generator<readonly [name: string, value: string]> {
  for (const field of pairsOf(fields)) if (!NOT_IN_304.has(field[0].toLowerCase())) yield field;
}

async function* bytesOf(content: AsyncIterable<Content>): AsyncGenerator<Uint8Array> {
  for await (const piece of content) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}
