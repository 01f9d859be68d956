/** The content of a request beyond its bytes: forms, and content with a Content-Encoding. For both levels. */
import { ContentError } from '../content/content-error.ts';
import { decodeContent } from '../content/decoding.ts';
import { type Form, type FormOptions, readForm as readFormContent } from '../content/forms.ts';
import { MULTIPART_DEFAULTS } from '../content/multipart.ts';
import { type Asked, contentOf, headerOf } from './asked.ts';

const DEFAULT_MAX_DECODED = 16 * 1024 * 1024;

/**
 * Reads a form, urlencoded (URL standard §5.1) or multipart/form-data (RFC 7578), with or without a Content-Encoding. Fields are
 * kept in memory, files too unless `directory` or `onFile` say otherwise. Rejects with a `ContentError`: 415 for what is not a
 * form, 400 for a malformed one, 413 beyond a limit; then no file is left on disk.
 */
export function readForm(asked: Asked, options: FormOptions = {}): Promise<Form> {
  const maxTotal = options.limits?.maxTotalBytes ?? MULTIPART_DEFAULTS.maxTotalBytes;
  return readFormContent(headerOf(asked, 'content-type'), decodedPieces(asked, maxTotal), options);
}

/** The content of a request with its Content-Encoding undone, to be read once: in pieces by `for await`, or whole. */
export interface Decoded extends AsyncIterable<Uint8Array> {
  bytes(): Promise<Uint8Array>;
  /** As UTF-8. */
  text(): Promise<string>;
  /** Rejects with a `ContentError`, 400, for what is not JSON. */
  json<T = unknown>(): Promise<T>;
}

/**
 * Undoes gzip, deflate, br and zstd (zstd from Node 22.15 on), two of them at most. Every way of reading rejects with a `ContentError`: 415 for another
 * coding, 400 for corrupt content, 413 for more than `maxBytes` (default 16 MiB) of decoded content.
 */
export function decoded(asked: Asked, maxBytes: number = DEFAULT_MAX_DECODED): Decoded {
  return new DecodedContent(decodedPieces(asked, maxBytes));
}

class DecodedContent implements Decoded {
  readonly #pieces: AsyncIterable<Uint8Array>;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#pieces[Symbol.asyncIterator]();
  }

  async bytes(): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#pieces) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async text(): Promise<string> {
    return ((await this.bytes()) as Buffer).toString('utf8');
  }

  async json<T = unknown>(): Promise<T> {
    const text = await this.text();
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new ContentError('malformed', 'the content must be JSON');
    }
  }
}

function decodedPieces(asked: Asked, maxBytes: number): AsyncIterable<Uint8Array> {
  return decodeContent(contentOf(asked), headerOf(asked, 'content-encoding'), maxBytes);
}
