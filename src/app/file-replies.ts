/** `file()` and `files()`: what src/files plans, as answers of the engine. Owns this worker's cache of single files. */
import { StreamReply } from '../engine/stream-reply.ts';
import { Directory } from '../files/directory.ts';
import type { DirectoryOptions } from '../files/directory-options.ts';
import { type FilePlan, type FileSource, isFileSource } from '../files/file-plan.ts';
import { SingleFiles } from '../files/single-file.ts';
import { checkField, type Fields, pairsOf } from '../http/fields.ts';
import type { Reply } from '../http/reply.ts';
import {
  type ByteSink,
  connectionFields,
  type PersistenceValue,
  type SharedFields,
  WholeReply,
} from '../http/reply.ts';
import { reasonPhrase, statusLine } from '../http/status.ts';
import type { Call, Handler } from './app.ts';
import { AppCall } from './app-call.ts';

export interface FileOptions {
  /** Resolves the path inside this directory: nothing leads out of it, and hidden files are not served. Give it for any path that clients can choose. */
  readonly root?: string;
  /** The Content-Type. Default: by extension. */
  readonly type?: string;
  readonly fields?: Fields;
  /** Uses `.br`, `.zst` and `.gz` files beside the file. Default true. */
  readonly precompressed?: boolean;
}

export interface FilesOptions extends Omit<DirectoryOptions, 'fields'> {
  /** Added to every answer with a file. */
  readonly fields?: Fields;
}

/** Bytes of a large file that are read at once. */
const PIECE = 128 * 1024;
/** Each piece is copied on its way out, so one buffer serves all files of a worker. */
let pieceBuffer: Buffer | null = null;
let singleFiles: SingleFiles | null = null;

/**
 * Answers with a file: ETag, Last-Modified, If-*, Range and If-Range, HEAD; 404 if there is none, 405 for other methods. Rejects
 * if `root` does not exist.
 */
export async function file(call: Call, path: string, options: FileOptions = {}): Promise<Reply> {
  singleFiles ??= new SingleFiles();
  const { fields, ...others } = options;
  const plan = singleFiles.plan(call, path, fields === undefined ? others : { ...others, fields: checked(fields) });
  return replyOfPlan(plan);
}

/**
 * A handler that serves a directory; what is not there is left to the next handler. On a route that ends in `*` the directory
 * stands for the part before it. Rejects if `root` is not a directory.
 */
export async function files(root: string, options: FilesOptions = {}): Promise<Handler> {
  const { fields, ...others } = options;
  const directory = new Directory(root, fields === undefined ? others : { ...others, fields: checked(fields) });
  return (call) => {
    const at = call instanceof AppCall ? call.restAt : 0;
    const plan =
      at <= 1
        ? directory.plan(call)
        : directory.plan(new BelowPrefix(call, at - 1), undefined, call.path.slice(0, at - 1));
    return plan === null ? undefined : replyOfPlan(plan);
  };
}

/** A request for what lies below the part of the path that a route has used. */
class BelowPrefix {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #call: Call;

  constructor(call: Call, at: number) {
    this.method = call.method;
    this.path = call.path.slice(at);
    this.query = call.query;
    this.#call = call;
  }

  header(name: string): string | null {
    return this.#call.header(name);
  }
}

function replyOfPlan(plan: FilePlan): Reply {
  const { content } = plan;
  if (isFileSource(content)) return new LargeFileReply(plan, content);
  plan.prepared ??= new FileReply(plan, content);
  return plan.prepared as FileReply;
}

/** What is sent from memory, again and again. */
class FileReply extends WholeReply {
  readonly status: number;
  readonly #start: string;
  readonly #content: Buffer | null;

  constructor({ status, fields, length }: FilePlan, content: Uint8Array | null) {
    super();
    this.status = status;
    const size = length === null ? '' : `Content-Length: ${length}\r\n`;
    this.#start = `${statusLine(status)}${linesOf(fields)}${size}`;
    this.#content = content === null ? null : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }

  get contentLength(): number {
    return this.#content?.length ?? 0;
  }

  putInto(sink: ByteSink, shared: SharedFields, persistence: PersistenceValue, isHead: boolean): void {
    sink.pushLatin1(`${this.#start}${shared.date}${connectionFields(shared, persistence)}\r\n`);
    if (!isHead && this.#content !== null) sink.push(this.#content);
  }
}

/** Owns the source: closed when it has been sent, or will not be. */
class LargeFileReply extends StreamReply {
  readonly #file: FileSource;

  constructor({ status, fields }: FilePlan, content: FileSource) {
    super(
      status,
      reasonPhrase(status),
      linesOf(fields),
      async (out) => {
        try {
          for (let position = 0; position < content.length; ) {
            // Waited for below, so nothing else fills the buffer before it is copied.
            pieceBuffer ??= Buffer.allocUnsafeSlow(PIECE);
            const count = content.readInto(pieceBuffer, position);
            if (count <= 0) throw new Error('a file changed while it was sent');
            position += count;
            const taken = out.write(pieceBuffer.subarray(0, count));
            if (taken !== true) await taken;
          }
        } finally {
          content.close();
        }
      },
      content.length,
    );
    this.#file = content;
  }

  override discard(): void {
    this.#file.close();
  }
}

function checked(fields: Fields): [name: string, value: string][] {
  const list: [string, string][] = [];
  for (const [name, value] of pairsOf(fields)) {
    checkField(name, value);
    list.push([name, value]);
  }
  return list;
}

function linesOf(fields: FilePlan['fields']): string {
  let lines = '';
  for (const [name, value] of fields) lines += `${name}: ${value}\r\n`;
  return lines;
}
