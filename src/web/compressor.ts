/**
 * Compresses answers that are worth it: small ones at once, and kept; large ones as a stream, in the thread pool.
 *
 * A page that holds a secret and repeats what a client sent tells the secret by its length (BREACH): such pages must mask the
 * secret anew each time, or their route must have `compression = false`.
 */
import { FileReply, LargeFileReply } from '../app/plan-reply.ts';
import {
  encodedFields,
  encodeNow,
  encodeStream,
  MAX_SYNC_BYTES,
  mayEncode,
  PREFERRED_CODINGS,
} from '../content/encoding.ts';
import { essenceOf, isCompressible } from '../content/media-types.ts';
import { type ContentCoding, chooseCoding, codingWeights } from '../content/negotiation.ts';
import type { Call } from '../engine/call.ts';
import { StreamReply } from '../engine/stream-reply.ts';
import { type FilePlan, type FileSource, isFileSource } from '../files/file-plan.ts';
import type { Reply } from '../http/reply.ts';
import { reasonPhrase } from '../http/status.ts';
import { AnswerCoder } from './answer-coder.ts';
import type { AnswerShape, FieldList } from './answer-shape.ts';
import type { CompressionConfig } from './config/web-config.ts';
import { type PreparedFile, preparedOf, replyOf } from './files-action.ts';

/** Read at once from a large file. */
const PIECE = 64 * 1024;

export class Compressor {
  readonly #config: CompressionConfig;
  readonly #codings: readonly ContentCoding[];
  readonly #shrinks: (type: string) => boolean;
  /** Kept answers, the oldest first, with their bytes. */
  readonly #kept = new Map<Reply, { readonly of: PreparedFile; readonly coding: string; readonly bytes: number }>();
  #keptBytes = 0;
  readonly #coders = new Map<string, AnswerCoder>();

  constructor(config: CompressionConfig) {
    this.#config = config;
    this.#codings = config.codings.filter((coding) => PREFERRED_CODINGS.includes(coding));
    this.#shrinks = config.types.length === 0 ? isCompressible : (type) => isAmong(config.types, essenceOf(type));
  }

  /** The plan as it is, or compressed, with the fields of the route. */
  replyOf(plan: FilePlan, call: Call, shape: AnswerShape): Reply {
    const prepared = preparedOf(plan, shape);
    const { status, fields, length } = plan.whole ?? plan;
    prepared.isWorthIt ??= mayEncode(status, fields, length, this.#config.minSize, this.#shrinks);
    if (!prepared.isWorthIt) return replyOf(plan, shape);
    const coding = chooseCoding(codingWeights(call.header('accept-encoding')), this.#codings) ?? 'identity';
    return prepared.encoded.get(coding) ?? this.#make(plan, prepared, coding, shape);
  }

  /** For the answer of an upstream to this request; null: those go as they are. */
  coderFor(call: Call): AnswerCoder | null {
    if (!this.#config.proxied) return null;
    const coding = chooseCoding(codingWeights(call.header('accept-encoding')), this.#codings) ?? 'identity';
    const known = this.#coders.get(coding) ?? new AnswerCoder(coding, this.#config.minSize, this.#shrinks);
    this.#coders.set(coding, known);
    return known;
  }

  #make(plan: FilePlan, prepared: PreparedFile, coding: ContentCoding | 'identity', shape: AnswerShape): Reply {
    const { content, length, status } = plan;
    if (plan.whole !== null) return makePart(plan, prepared, coding, shape);
    const fields = shape.fieldsOf(encodedFields(plan.fields, coding));
    if (coding === 'identity') {
      const head = { status, fields, length };
      if (isFileSource(content)) return new LargeFileReply(head, content);
      const made = new FileReply(head, content);
      prepared.encoded.set(coding, made);
      return made;
    }
    // The answer to HEAD: its length would have to be found by compressing.
    if (content === null) return new FileReply({ status: 200, fields, length: null }, null);
    if (isFileSource(content) || content.length > MAX_SYNC_BYTES) return new CompressedStream(fields, content, coding);
    const encoded = encodeNow(content, coding);
    const made = new FileReply({ status: 200, fields, length: encoded.length }, encoded);
    this.#keep(prepared, coding, made, encoded.length);
    return made;
  }

  #keep(prepared: PreparedFile, coding: string, reply: FileReply, bytes: number): void {
    if (bytes > this.#config.cacheSize) return;
    prepared.encoded.set(coding, reply);
    this.#kept.set(reply, { of: prepared, coding, bytes });
    this.#keptBytes += bytes;
    for (const [oldest, { of, coding: name, bytes: size }] of this.#kept) {
      if (this.#keptBytes <= this.#config.cacheSize) return;
      of.encoded.delete(name);
      this.#kept.delete(oldest);
      this.#keptBytes -= size;
    }
  }
}

/** What a 206 or a 304 says must be what the whole would have said (RFC 9110 §15.3.7, §15.4.5); ranges are those of the file as it is. */
function makePart(
  { status, fields, length, content }: FilePlan,
  prepared: PreparedFile,
  coding: ContentCoding | 'identity',
  shape: AnswerShape,
): Reply {
  const encoded = encodedFields(fields, status === 304 ? coding : 'identity');
  const kept = encoded.filter(([name]) => name !== 'Content-Encoding');
  const head = { status, fields: shape.fieldsOf(kept), length };
  if (isFileSource(content)) return new LargeFileReply(head, content);
  const made = new FileReply(head, content);
  prepared.encoded.set(coding, made);
  return made;
}

/** `text/*` stands for all types that start with `text/`. */
function isAmong(types: readonly string[], type: string): boolean {
  return types.some((one) => one === type || (one.endsWith('/*') && type.startsWith(one.slice(0, -1))));
}

/** Owns the source: closed when it has been sent, or will not be. */
class CompressedStream extends StreamReply {
  readonly #content: FileSource | Uint8Array;

  constructor(fields: FieldList, content: FileSource | Uint8Array, coding: ContentCoding) {
    let lines = '';
    for (const [name, value] of fields) lines += `${name}: ${value}\r\n`;
    super(200, reasonPhrase(200), lines, encodeStream(piecesOf(content), coding), null);
    this.#content = content;
  }

  override discard(): void {
    if (isFileSource(this.#content)) this.#content.close();
    super.discard();
  }
}

async function* piecesOf(content: FileSource | Uint8Array): AsyncGenerator<Uint8Array> {
  if (!isFileSource(content)) {
    for (let at = 0; at < content.length; at += PIECE) yield content.subarray(at, at + PIECE);
    return;
  }
  try {
    for (let position = 0; position < content.length; ) {
      const piece = Buffer.allocUnsafe(PIECE);
      const count = content.readInto(piece, position);
      if (count <= 0) throw new Error('a file changed while it was sent');
      position += count;
      yield piece.subarray(0, count);
    }
  } finally {
    content.close();
  }
}
