/** A published message: encoded once for all sockets without compression, and once for each shared compressor. */
import { Buffer } from 'node:buffer';
import type { Compressor } from './deflate.ts';
import { encodeFrame, FirstByte } from './frame-encoder.ts';
import type { BinaryData } from './handlers.ts';

export class PublishedMessage {
  readonly isText: boolean;
  /** Of the payload. */
  readonly length: number;
  readonly #data: string | Uint8Array;
  #plain: Buffer | null = null;
  /** By compressor. Only the output of compressors without context can be shared. */
  #compressed: Map<Compressor, Buffer> | null = null;
  #bytes: Uint8Array | null = null;

  constructor(data: string | Uint8Array) {
    this.#data = data;
    this.isText = typeof data === 'string';
    this.length = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
  }

  get bytes(): Uint8Array {
    this.#bytes ??= typeof this.#data === 'string' ? Buffer.from(this.#data) : this.#data;
    return this.#bytes;
  }

  plainFrame(): Buffer {
    this.#plain ??= encodeFrame(this.isText ? FirstByte.text : FirstByte.binary, this.#data);
    return this.#plain;
  }

  compressedFrame(compressor: Compressor, isShared: boolean): Buffer {
    const known = this.#compressed?.get(compressor);
    if (known !== undefined) return known;
    const first = (this.isText ? FirstByte.text : FirstByte.binary) | FirstByte.compressed;
    const frame = encodeFrame(first, compressor.compress(this.bytes));
    if (isShared) {
      this.#compressed ??= new Map();
      this.#compressed.set(compressor, frame);
    }
    return frame;
  }
}

/** A view of the bytes that a program sends. */
export function bytesOf(data: BinaryData): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}
