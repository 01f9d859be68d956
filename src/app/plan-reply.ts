/** What src/files plans, as answers of the engine: from memory, or in pieces from a descriptor. */
import { StreamReply } from '../engine/stream-reply.ts';
import { type FilePlan, type FileSource, isFileSource } from '../files/file-plan.ts';
import { writeLatin1 } from '../http/latin1.ts';
import {
  type ByteSink,
  connectionFields,
  Persistence,
  type PersistenceValue,
  type Reply,
  type SharedFields,
  WholeReply,
} from '../http/reply.ts';
import { reasonPhrase, statusLine } from '../http/status.ts';

/** Bytes of a large file that are read at once. */
const PIECE = 128 * 1024;
/** Each piece is copied on its way out, so one buffer serves all files of a worker. */
let pieceBuffer: Buffer | null = null;

/** What of a plan becomes the head of an answer. */
export type PlannedHead = Pick<FilePlan, 'status' | 'fields' | 'length'>;

export function replyOfPlan(plan: FilePlan): Reply {
  const { content } = plan;
  if (isFileSource(content)) return new LargeFileReply(plan, content);
  plan.prepared ??= new FileReply(plan, content);
  return plan.prepared as FileReply;
}

/** Up to this length an answer is kept as a whole for the second that its Date holds, so that it leaves in one write without a copy. */
const PREPARED = 64 * 1024;

/** What is sent from memory, again and again. */
export class FileReply extends WholeReply {
  readonly status: number;
  readonly #start: string;
  readonly #content: Buffer | null;
  /** To a GET on a connection that persists. */
  #prepared: Buffer | null = null;
  #shared: SharedFields | null = null;

  constructor({ status, fields, length }: PlannedHead, content: Uint8Array | null) {
    super();
    this.status = status;
    const size = length === null ? '' : `Content-Length: ${length}\r\n`;
    this.#start = `${statusLine(status)}${linesOf(fields)}${size}`;
    this.#content = content === null ? null : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }

  get contentLength(): number {
    return this.#content?.length ?? 0;
  }

  override get isLasting(): boolean {
    return true;
  }

  putInto(sink: ByteSink, shared: SharedFields, persistence: PersistenceValue, isHead: boolean): void {
    const content = this.#content;
    if (!isHead && content !== null && content.length <= PREPARED && persistence === Persistence.keepAlive) {
      sink.push(this.#prepare(content, shared));
      return;
    }
    sink.pushLatin1(`${this.#start}${shared.date}${connectionFields(shared, persistence)}\r\n`);
    if (!isHead && content !== null) sink.push(content);
  }

  #prepare(content: Buffer, shared: SharedFields): Buffer {
    if (shared === this.#shared && this.#prepared !== null) return this.#prepared;
    const head = `${this.#start}${shared.date}${connectionFields(shared, Persistence.keepAlive)}\r\n`;
    // New memory each time: the kernel may not have taken all of the last one yet.
    const bytes = Buffer.allocUnsafeSlow(head.length + content.length);
    writeLatin1(bytes, head, 0);
    bytes.set(content, head.length);
    this.#prepared = bytes;
    this.#shared = shared;
    return bytes;
  }
}

/** Owns the source: closed when it has been sent, or will not be. */
export class LargeFileReply extends StreamReply {
  readonly #file: FileSource;

  constructor({ status, fields }: PlannedHead, content: FileSource) {
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

function linesOf(fields: FilePlan['fields']): string {
  let lines = '';
  for (const [name, value] of fields) lines += `${name}: ${value}\r\n`;
  return lines;
}
