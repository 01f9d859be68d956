/** Destinations for the files of a form: memory, a directory, or a consumer provided by the app. */
import { Buffer } from 'node:buffer';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { PartHead } from './part-head.ts';

/** Receives one file. The last call is either `end` or `abort`, once. */
export interface FileConsumer {
  /** The view is valid until the promise settles. No more is read before that. */
  write(bytes: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
  /** The upload failed: discard what was written. */
  abort(error: unknown): void | Promise<void>;
}

/** An uploaded file. */
export interface FormFile {
  /** The name of the form field. */
  readonly name: string;
  /** As the client sent it; `baseName` makes it a safe file name. */
  readonly filename: string;
  /** As the client declared it; not verified. */
  readonly type: string;
  readonly size: number;
  /** Null if it went to disk or to a consumer. */
  readonly content: Buffer | null;
  /** Null if it went to memory or to a consumer. */
  readonly path: string | null;
}

/** An upload in progress. */
export interface Upload {
  write(bytes: Uint8Array): void | Promise<void>;
  /** Completes the upload. */
  finish(): FormFile | Promise<FormFile>;
  abort(error: unknown): void | Promise<void>;
}

export class MemoryUpload implements Upload {
  readonly #head: PartHead;
  #pieces: Buffer[] = [];

  constructor(head: PartHead) {
    this.#head = head;
  }

  write(bytes: Uint8Array): void {
    this.#pieces.push(Buffer.from(bytes));
  }

  finish(): FormFile {
    const content = Buffer.concat(this.#pieces);
    return describe(this.#head, content.length, content, null);
  }

  abort(): void {
    this.#pieces = [];
  }
}

/** Owns the descriptor until `finish` or `abort`; `abort` also deletes the file. */
export class DiskUpload implements Upload {
  readonly #head: PartHead;
  readonly #path: string;
  readonly #file: FileHandle;
  #size = 0;

  private constructor(head: PartHead, filePath: string, file: FileHandle) {
    this.#head = head;
    this.#path = filePath;
    this.#file = file;
  }

  /** The name is random, with nothing from the client in it, and other users cannot read the file. */
  static async create(head: PartHead, directory: string): Promise<DiskUpload> {
    const { randomBytes } = await import('node:crypto');
    const filePath = path.join(directory, `upload-${randomBytes(16).toString('hex')}`);
    return new DiskUpload(head, filePath, await open(filePath, 'wx', 0o600));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, from, bytes.length - from);
      from += bytesWritten;
    }
    this.#size += bytes.length;
  }

  async finish(): Promise<FormFile> {
    await this.#file.close();
    return describe(this.#head, this.#size, null, this.#path);
  }

  async abort(): Promise<void> {
    // Already closed if `finish` failed.
    await this.#file.close().catch(() => undefined);
    await unlink(this.#path).catch(() => undefined);
  }
}

export class ConsumerUpload implements Upload {
  readonly #head: PartHead;
  readonly #consumer: FileConsumer;
  #size = 0;

  constructor(head: PartHead, consumer: FileConsumer) {
    this.#head = head;
    this.#consumer = consumer;
  }

  write(bytes: Uint8Array): void | Promise<void> {
    this.#size += bytes.length;
    return this.#consumer.write(bytes);
  }

  async finish(): Promise<FormFile> {
    await this.#consumer.end();
    return describe(this.#head, this.#size, null, null);
  }

  abort(error: unknown): void | Promise<void> {
    return this.#consumer.abort(error);
  }
}

function describe(head: PartHead, size: number, content: Buffer | null, filePath: string | null): FormFile {
  return { name: head.name, filename: head.filename ?? '', type: head.type, size, content, path: filePath };
}
