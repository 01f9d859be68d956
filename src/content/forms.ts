/** Forms: urlencoded and multipart/form-data, read within limits. */
import { Buffer } from 'node:buffer';
import { unlink } from 'node:fs/promises';
import { ContentError } from './content-error.ts';
import { essenceOf } from './media-types.ts';
import {
  MULTIPART_DEFAULTS,
  type MultipartFault,
  type MultipartLimits,
  MultipartParser,
  multipartBoundary,
} from './multipart.ts';
import type { PartHead } from './part-head.ts';
import { Parameters, parsePairs } from './query.ts';
import { ConsumerUpload, DiskUpload, type FileConsumer, type FormFile, MemoryUpload, type Upload } from './uploads.ts';

export interface FormOptions {
  /** Those that differ from their defaults. */
  readonly limits?: Partial<MultipartLimits>;
  /** Files are written to this directory under random names. Without it they are kept in memory. */
  readonly directory?: string;
  /** Returns a consumer for a file, or null for the default. */
  readonly onFile?: (head: PartHead) => FileConsumer | null;
}

export class Form {
  readonly fields: Parameters;
  readonly files: readonly FormFile[];

  constructor(fields: Parameters, files: readonly FormFile[]) {
    this.fields = fields;
    this.files = files;
  }

  /** Deletes the files on disk. Move those that you keep first. */
  async dispose(): Promise<void> {
    await deleteFiles(this.files);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/**
 * Reads a form of either type. Rejects with a `ContentError`: unsupported (415: not a form), malformed (400) or tooLarge (413).
 * Errors of the body, a consumer or the disk pass through. After a failure no file is left on disk.
 */
export function readForm(
  contentType: string | null,
  body: AsyncIterable<Uint8Array>,
  options: FormOptions = {},
): Promise<Form> {
  const limits = { ...MULTIPART_DEFAULTS, ...options.limits };
  const essence = essenceOf(contentType ?? '');
  if (essence === 'application/x-www-form-urlencoded') return readUrlencoded(body, limits);
  const boundary = multipartBoundary(contentType);
  if (boundary !== null) return new MultipartReader(limits, options).read(boundary, body);
  const isMultipart = essence === 'multipart/form-data';
  const rule = isMultipart ? 'multipart/form-data must have a boundary' : 'the content must be a form';
  return Promise.reject(
    new ContentError(
      isMultipart ? 'malformed' : 'unsupported',
      `${rule}, got Content-Type ${JSON.stringify(contentType)}`,
      isMultipart ? {} : { fields: { Accept: 'multipart/form-data, application/x-www-form-urlencoded' } },
    ),
  );
}

/** Parses `a=1&b=2`; null if there are more than `maxCount` pairs. */
export function parseUrlencoded(
  content: Uint8Array,
  maxCount: number = MULTIPART_DEFAULTS.maxParts,
): Parameters | null {
  return parsePairs(Buffer.from(content.buffer, content.byteOffset, content.length).toString('utf8'), maxCount);
}

async function readUrlencoded(body: AsyncIterable<Uint8Array>, limits: MultipartLimits): Promise<Form> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > limits.maxFieldBytes) throw faultError('fieldTooLarge', limits);
    pieces.push(Buffer.from(piece));
  }
  const fields = parseUrlencoded(Buffer.concat(pieces), limits.maxParts);
  if (fields === null) throw faultError('tooManyParts', limits);
  return new Form(fields, []);
}

/** What the parser found in one piece of content; handled before the next piece is read. */
type Event = { kind: 'part'; head: PartHead } | { kind: 'data'; bytes: Uint8Array } | { kind: 'end' };

class MultipartReader {
  readonly #limits: MultipartLimits;
  readonly #options: FormOptions;
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  readonly #files: FormFile[] = [];
  #events: Event[] = [];
  /** Owned: finished with its part, aborted if anything fails. */
  #upload: Upload | null = null;
  #field: Buffer[] = [];

  constructor(limits: MultipartLimits, options: FormOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  async read(boundary: string, body: AsyncIterable<Uint8Array>): Promise<Form> {
    const parser = new MultipartParser(
      boundary,
      {
        onPart: (head) => this.#events.push({ kind: 'part', head }),
        onData: (bytes) => this.#events.push({ kind: 'data', bytes }),
        onPartEnd: () => this.#events.push({ kind: 'end' }),
      },
      this.#limits,
    );
    try {
      for await (const piece of body) {
        const fault = parser.push(piece);
        if (fault !== null) throw faultError(fault, this.#limits);
        await this.#work();
      }
      const fault = parser.end();
      if (fault !== null) throw faultError(fault, this.#limits);
      return new Form(new Parameters(this.#names, this.#values), this.#files);
    } catch (error) {
      await this.#upload?.abort(error);
      await deleteFiles(this.#files);
      throw error;
    }
  }

  async #work(): Promise<void> {
    const events = this.#events;
    this.#events = [];
    for (const event of events) {
      if (event.kind === 'part') await this.#begin(event.head);
      else if (event.kind === 'end') await this.#finish();
      else if (this.#upload !== null) await this.#upload.write(event.bytes);
      else this.#field.push(Buffer.from(event.bytes));
    }
  }

  async #begin(head: PartHead): Promise<void> {
    if (head.filename === null) {
      this.#names.push(head.name);
      return;
    }
    const { directory } = this.#options;
    const consumer = this.#options.onFile?.(head) ?? null;
    if (consumer !== null) this.#upload = new ConsumerUpload(head, consumer);
    else this.#upload = directory === undefined ? new MemoryUpload(head) : await DiskUpload.create(head, directory);
  }

  async #finish(): Promise<void> {
    if (this.#upload === null) {
      this.#values.push(Buffer.concat(this.#field).toString('utf8'));
      this.#field = [];
      return;
    }
    this.#files.push(await this.#upload.finish());
    this.#upload = null;
  }
}

async function deleteFiles(files: readonly FormFile[]): Promise<void> {
  for (const file of files) {
    if (file.path !== null) await unlink(file.path).catch(ignoreMissing);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function faultError(fault: MultipartFault, limits: MultipartLimits): ContentError {
  switch (fault) {
    case 'boundaryMalformed':
      return new ContentError('malformed', 'a boundary must be followed by a line end');
    case 'partHeadMalformed':
      return new ContentError('malformed', 'a part must have a Content-Disposition of form-data with a name');
    case 'endMissing':
      return new ContentError('malformed', 'the form must end with its last boundary');
    case 'partHeadTooLarge':
      return new ContentError('tooLarge', `the head of a part must be at most ${limits.maxHeaderBytes} bytes`);
    case 'tooManyParts':
      return new ContentError('tooLarge', `a form must have at most ${limits.maxParts} parts`);
    case 'fieldTooLarge':
      return new ContentError('tooLarge', `a field must be at most ${limits.maxFieldBytes} bytes`);
    case 'fileTooLarge':
      return new ContentError('tooLarge', `a file must be at most ${limits.maxFileBytes} bytes`);
    case 'contentTooLarge':
      return new ContentError('tooLarge', `a form must be at most ${limits.maxTotalBytes} bytes`);
  }
}
