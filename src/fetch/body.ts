/**
 * The content of a request or response: kept as it was given, turned into a stream only on demand, read at most once. Two
 * objects that were given the same stream share one `Body`.
 */
import type Stream from 'node:stream';
import type { RequestBody } from './source.ts';

/** Loaded with the first stream: node:stream is 19 modules. */
let Readable: typeof Stream.Readable | undefined;

/** `RequestBody`: content still on its way in, read from the engine. */
export type Content = string | Uint8Array | Blob | ReadableStream | RequestBody;

/** The bodies behind our own streams: passing such a stream to another object passes the content on in one piece. */
const bodies = new WeakMap<ReadableStream, Body>();

export class Body {
  #content: Content;
  #stream: ReadableStream | null = null;
  #isUsed = false;

  constructor(content: Content) {
    this.#content = content;
    if (isStream(content)) this.#stream = content;
  }

  /** The body behind one of our streams, or a new one. Throws if the stream is locked or has been read from. */
  static of(stream: ReadableStream): Body {
    if (stream.locked || isDisturbed(stream)) throw new TypeError('The stream must not be locked or read from');
    return bodies.get(stream) ?? new Body(stream);
  }

  get isUsed(): boolean {
    return this.#isUsed || (this.#stream !== null && isDisturbed(this.#stream));
  }

  /** Fetch standard §5.3: "unusable". */
  get isUnusable(): boolean {
    return this.isUsed || this.#stream?.locked === true;
  }

  get stream(): ReadableStream {
    if (this.#stream !== null) return this.#stream;
    // A source is read once: once it is read as a stream, only the stream has the content.
    if (isIncoming(this.#content)) this.#content = this.#isUsed ? '' : settle(this.#content);
    this.#stream = streamOf(this.#content);
    if (this.#isUsed) close(this.#stream);
    else bodies.set(this.#stream, this);
    return this.#stream;
  }

  /** Size in bytes if it is known without reading, else null. */
  get length(): number | null {
    const content = this.#content;
    if (typeof content === 'string') return Buffer.byteLength(content);
    if (content instanceof Uint8Array) return content.byteLength;
    if (isStream(content)) return null;
    return isIncoming(content) ? content.length : content.size;
  }

  /** The content itself, for sending or for another body. Throws if it has been read. */
  take(): Content {
    if (this.isUnusable) throw new TypeError('The body has been read or is locked');
    // A stream stays open: it is the content that the caller is about to read.
    this.#isUsed = true;
    if (!isStream(this.#content) && this.#stream !== null) close(this.#stream);
    return this.#content;
  }

  /** Like `take`, but a stream that was given stays here, locked, and the caller gets another one. */
  transfer(): Content {
    const content = this.take();
    return isStream(content) ? (content.pipeThrough(new TransformStream()) as ReadableStream) : content;
  }

  /** Fetch standard §2.2.5, "clone a body". */
  clone(): Body {
    if (this.isUnusable) throw new TypeError('A body that has been read or is locked cannot be cloned');
    if (isIncoming(this.#content)) this.#content = settle(this.#content);
    if (isStream(this.#content)) this.#stream = this.#content;
    if (!isStream(this.#content)) return new Body(this.#content);
    const [one, other] = this.#content.tee();
    this.#content = one;
    this.#stream = one;
    return new Body(other.pipeThrough(new TransformStream({ transform: enqueueCopy })));
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = this.take();
    if (typeof content === 'string') return new TextEncoder().encode(content);
    if (content instanceof Uint8Array) return content.slice() as Uint8Array<ArrayBuffer>;
    if (isStream(content)) return concat(await piecesOf(content));
    if (isIncoming(content)) return owned(await content.bytes());
    return new Uint8Array(await content.arrayBuffer());
  }

  /** What `text` resolves with, if that needs no waiting, and then it has been read; else null. */
  textNow(): string | null {
    const content = this.#content;
    if (!isIncoming(content) || this.isUnusable) return null;
    const text = content.takeText();
    if (text === null) return null;
    this.#isUsed = true;
    return withoutMark(text);
  }

  text(): Promise<string> {
    const text = this.textNow();
    if (text !== null) return Promise.resolve(text);
    const content = this.take();
    if (typeof content === 'string') return Promise.resolve(withoutMark(content.toWellFormed()));
    if (content instanceof Uint8Array) return Promise.resolve(decode(content));
    if (isStream(content)) return piecesOf(content).then((pieces) => decode(concat(pieces)));
    if (isIncoming(content)) return content.bytes().then(decode);
    return content.arrayBuffer().then((buffer) => decode(new Uint8Array(buffer)));
  }
}

export function isStream(content: unknown): content is ReadableStream {
  return typeof content === 'object' && content !== null && 'getReader' in content;
}

export function isIncoming(content: Content): content is RequestBody {
  return typeof content === 'object' && 'now' in content;
}

/** Content that has already arrived needs no stream. It is copied, because it is valid only during its call; `slice` of a Buffer copies nothing. */
function settle(content: RequestBody): Uint8Array | ReadableStream {
  const { now } = content;
  return now === null ? content.stream() : new Uint8Array(now);
}

/** Whether it has been read from or cancelled: streams do not say this themselves. */
function isDisturbed(stream: ReadableStream): boolean {
  Readable ??= process.getBuiltinModule('node:stream').Readable;
  return Readable.isDisturbed(stream as unknown as Stream.Readable);
}

function close(stream: ReadableStream): void {
  stream
    .getReader()
    .cancel()
    .catch(() => {});
}

function streamOf(content: Content): ReadableStream {
  if (typeof content === 'string') return byteStream(() => new TextEncoder().encode(content));
  // Enqueueing detaches the buffer, so a byte stream gets a copy.
  if (content instanceof Uint8Array) return byteStream(() => content.slice());
  if (isStream(content)) return content;
  return content.stream();
}

/** Body streams are byte streams (Fetch standard §2.2.5): `getReader({ mode: 'byob' })` works. */
function byteStream(bytes: () => Uint8Array): ReadableStream {
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = bytes();
      if (chunk.byteLength > 0) controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

async function piecesOf(stream: ReadableStream): Promise<Uint8Array[]> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    if (!(value instanceof Uint8Array)) {
      const error = new TypeError(`A body's stream must give Uint8Arrays, got ${typeof value}`);
      reader.cancel(error).catch(() => {});
      throw error;
    }
    pieces.push(value);
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const piece of pieces) length += piece.byteLength;
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all;
}

/** The caller owns the result, so its buffer must not be shared. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  return isWhole ? new Uint8Array(bytes.buffer as ArrayBuffer) : new Uint8Array(bytes);
}

/** Encoding standard, "UTF-8 decode": a byte order mark is dropped, invalid bytes become U+FFFD. */
function decode(bytes: Uint8Array): string {
  return withoutMark(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function enqueueCopy(chunk: unknown, controller: TransformStreamDefaultController): void {
  controller.enqueue(structuredClone(chunk));
}
