/** The readers that Request and Response have in common (Fetch standard §5.3, the Body mixin). */
import type { Body } from './body.ts';
import type { Headers } from './headers.ts';
import { nativeResponse } from './native.ts';

export interface BodyReaders {
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  formData(): Promise<FormData>;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

/** A mixin has no prototype: each interface has these members itself. `contentOf` throws for what is no instance. */
export function addReaders<T extends { readonly headers: Headers }>(
  target: { readonly prototype: T },
  contentOf: (instance: T) => Body | null,
): void {
  const typeOf = (instance: T) => instance.headers.get('content-type');
  const readers: BodyReaders & ThisType<T> = {
    async arrayBuffer() {
      return (await readBytes(contentOf(this))).buffer;
    },
    async blob() {
      return readBlob(contentOf(this), typeOf(this));
    },
    async bytes() {
      return readBytes(contentOf(this));
    },
    async formData() {
      return readFormData(contentOf(this), typeOf(this));
    },
    async json() {
      const body = contentOf(this);
      return JSON.parse(body === null ? '' : (body.textNow() ?? (await body.text())));
    },
    async text() {
      const body = contentOf(this);
      return body === null ? '' : (body.textNow() ?? (await body.text()));
    },
  };
  for (const [name, value] of Object.entries(readers))
    Object.defineProperty(target.prototype, name, { value, writable: true, enumerable: true, configurable: true });
}

async function readBytes(body: Body | null): Promise<Uint8Array<ArrayBuffer>> {
  return body === null ? new Uint8Array(0) : body.bytes();
}

async function readBlob(body: Body | null, type: string | null): Promise<Blob> {
  const bytes = await readBytes(body);
  if (type === null || SIMPLE_TYPE.test(type)) return new Blob([bytes], { type: type ?? '' });
  return (await parsedByNode(bytes, type)).blob();
}

/** Node's own parser reads both encodings of forms; it is loaded only here. */
async function readFormData(body: Body | null, type: string | null): Promise<FormData> {
  return (await parsedByNode(body === null ? null : await body.bytes(), type ?? '')).formData();
}

/** A type that serializes to itself; any other goes through Node's MIME parser. */
const SIMPLE_TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

async function parsedByNode(bytes: Uint8Array<ArrayBuffer> | null, type: string): Promise<globalThis.Response> {
  const Response = await nativeResponse();
  return new Response(bytes, { headers: { 'content-type': type } });
}
