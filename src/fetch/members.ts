/** The readers that Request and Response share (Fetch standard §5.3, the Body mixin). */
import type { Body } from './body.ts';
import { nativeResponse } from './native.ts';

export async function readArrayBuffer(body: Body | null): Promise<ArrayBuffer> {
  return (await readBytes(body)).buffer;
}

export async function readBytes(body: Body | null): Promise<Uint8Array<ArrayBuffer>> {
  return body === null ? new Uint8Array(0) : body.bytes();
}

export function readText(body: Body | null): Promise<string> {
  return body === null ? Promise.resolve('') : body.text();
}

export function readJson(body: Body | null): Promise<unknown> {
  return readText(body).then(parseJson);
}

export async function readBlob(body: Body | null, type: string | null): Promise<Blob> {
  const bytes = await readBytes(body);
  if (type === null || SIMPLE_TYPE.test(type)) return new Blob([bytes], { type: type ?? '' });
  return (await parsedByNode(bytes, type)).blob();
}

/** Node's own parser reads both encodings of forms; it is loaded only here. */
export async function readFormData(body: Body | null, type: string | null): Promise<FormData> {
  return (await parsedByNode(body === null ? null : await body.bytes(), type ?? '')).formData();
}

/** A type that serializes to itself; any other goes through Node's MIME parser. */
const SIMPLE_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

async function parsedByNode(bytes: Uint8Array<ArrayBuffer> | null, type: string): Promise<globalThis.Response> {
  const Response = await nativeResponse();
  return new Response(bytes, { headers: { 'content-type': type } });
}

/** `JSON.parse` without its second parameter. */
function parseJson(text: string): unknown {
  return JSON.parse(text);
}
