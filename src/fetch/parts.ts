/** A response as the engine sends it, and how to get that from responses that are not ours. */
import type { Readable } from 'node:stream';
import { isStream } from './body.ts';
import type { HeaderList } from './header-list.ts';
import { copyFields } from './headers.ts';

export interface ResponseParts {
  readonly status: number;
  readonly statusText: string;
  /** Triples: lower-case name, name as it was written, value. All are valid: no CR, LF or NUL. */
  readonly fields: readonly string[];
  /**
   * The caller must read or cancel a stream. Its chunks are Uint8Arrays, and in programs written for Bun also strings, to be
   * sent as UTF-8.
   */
  readonly content: string | Uint8Array | ReadableStream | null;
  /** Of a stream, in bytes, if it is known; else null. */
  readonly length: number | null;
}

/**
 * How responses of srvx (so of h3 and Nitro) describe themselves, with content as it was given. Reading their standard
 * members makes one of Node's responses first, which takes 4 µs.
 */
interface NodeParts {
  readonly status: number;
  readonly statusText: string;
  /** Names and values in turn, or pairs. */
  readonly headers: readonly (string | readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array | ReadableStream | Readable | null;
}

/** Accepts Node's Response and anything with its members; throws a TypeError for anything else. */
export function foreignParts(response: unknown): ResponseParts {
  if (typeof response !== 'object' || response === null || !('status' in response) || !('headers' in response)) {
    throw new TypeError(`fetch must return a Response, got ${response === null ? 'null' : typeof response}`);
  }
  if ('_toNodeResponse' in response && typeof response._toNodeResponse === 'function') {
    return nodeParts(response._toNodeResponse());
  }
  const { status, statusText, headers, body, bodyUsed } = response as globalThis.Response;
  checkStatus(status);
  if (body?.locked === true || bodyUsed) throw new TypeError('The response has been read or is locked');
  return {
    status,
    statusText,
    fields: copyFields(headers),
    content: (body ?? null) as ReadableStream | null,
    length: null,
  };
}

function nodeParts(parts: NodeParts): ResponseParts {
  const { status, statusText, headers, body = null } = parts;
  checkStatus(status);
  const content =
    body === null || typeof body === 'string' || body instanceof Uint8Array || isStream(body) ? body : toWeb(body);
  const fields: HeaderList = copyFields(
    typeof headers[0] === 'string' ? inPairs(headers as readonly string[]) : headers,
  );
  return { status, statusText, fields, content, length: null };
}

function inPairs(flat: readonly string[]): (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
  return pairs;
}

function toWeb(stream: Readable): ReadableStream {
  return process.getBuiltinModule('node:stream').Readable.toWeb(stream) as unknown as ReadableStream;
}

function checkStatus(status: number): void {
  if (!(status >= 200 && status <= 599)) refuseStatus(status);
}

export function refuseStatus(status: number): never {
  throw new RangeError(`The status must be a whole number from 200 to 599, got ${status}`);
}
