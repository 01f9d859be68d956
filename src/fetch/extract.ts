/** Turns a BodyInit into content and a type (Fetch standard §5.2, "extract a body"). */
import { Body, type Content, isStream } from './body.ts';

export const TEXT_TYPE = 'text/plain;charset=UTF-8';

export interface Extracted {
  readonly body: Body;
  /** For Content-Type, unless the program sets it. */
  readonly type: string | null;
  readonly isStream: boolean;
}

/** `init` is neither undefined nor null. Buffers and forms are copied: changing them later does not change the body. */
export function extractBody(init: unknown): Extracted {
  if (typeof init === 'string') return known(init, TEXT_TYPE);
  if (typeof init !== 'object' || init === null) return known(`${init}`, TEXT_TYPE);
  if (ArrayBuffer.isView(init)) return known(copyOf(init.buffer, init.byteOffset, init.byteLength), null);
  if (isBuffer(init)) return known(copyOf(init, 0, init.byteLength), null);
  switch ((init as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]) {
    case 'URLSearchParams':
      if (init instanceof URLSearchParams) {
        return known(init.toString(), 'application/x-www-form-urlencoded;charset=UTF-8');
      }
      break;
    case 'ReadableStream':
      if (init instanceof ReadableStream) return { body: Body.of(init), type: null, isStream: true };
      break;
    case 'FormData':
      if (init instanceof FormData) return encodeForm(init);
      break;
    case 'Blob':
    case 'File':
      if (init instanceof Blob) return known(init, init.type === '' ? null : init.type);
      break;
    default:
  }
  // Beyond the standard, as in Node and Bun: async iterables.
  if (Symbol.asyncIterator in init) {
    const stream = ReadableStream.from(bytesOf(init as AsyncIterable<unknown>)) as ReadableStream;
    return { body: new Body(stream), type: null, isStream: true };
  }
  return known(`${init}`, TEXT_TYPE);
}

function known(content: Content, type: string | null): Extracted {
  return { body: new Body(content), type, isStream: isStream(content) };
}

/** HTML standard, "multipart/form-data encoding algorithm" (RFC 7578): files stay Blobs and are not read yet. */
function encodeForm(form: FormData): Extracted {
  const boundary = `----formdata-${crypto.randomUUID()}`;
  const parts: (string | Blob)[] = [];
  let text = '';
  for (const [name, value] of form) {
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withCrLf(name))}"`;
    if (typeof value === 'string') {
      text += `\r\n\r\n${withCrLf(value)}\r\n`;
      continue;
    }
    text += `; filename="${escapeName(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`;
    parts.push(text, value);
    text = '\r\n';
  }
  text += `--${boundary}--\r\n`;
  const content = parts.length === 0 ? text : new Blob([...parts, text]);
  return known(content, `multipart/form-data; boundary=${boundary}`);
}

function withCrLf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n');
}

function escapeName(name: string): string {
  return name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');
}

async function* bytesOf(pieces: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    yield typeof piece === 'string' ? new TextEncoder().encode(piece) : (piece as Uint8Array);
  }
}

/** A shared one is no BufferSource: as any other object, it is text. */
function isBuffer(value: object): value is ArrayBuffer {
  return (
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'ArrayBuffer' && value instanceof ArrayBuffer
  );
}

/** Of a buffer that was transferred to somebody else, nothing is left (WebIDL, "get a copy of the bytes"). */
function copyOf(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array {
  return length === 0 ? new Uint8Array(0) : new Uint8Array(buffer, offset, length).slice();
}
