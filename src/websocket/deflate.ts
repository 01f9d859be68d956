/**
 * Compresses and decompresses the messages of permessage-deflate (RFC 7692 §7.2) synchronously: no thread pool, no promise. Node's
 * public zlib streams are asynchronous, so this file, and no other, uses the handle beneath `zlib.createDeflateRaw()`. If that
 * handle is missing or has changed, it falls back to the public one-shot functions, which keep no context (`canKeepContext`).
 */
import { Buffer } from 'node:buffer';
import zlib from 'node:zlib';
import { CloseCode } from './close-codes.ts';

interface ZlibHandle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
  reset(): void;
  close(): void;
  onerror: (message: string, errno: number, code: string) => void;
}

const { Z_SYNC_FLUSH } = zlib.constants;
/** The end of every flushed message; the sender removes it, the receiver restores it (§7.2.1). */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const NOTHING = Buffer.alloc(0);
const SCRATCH = 64 * 1024;

/** Output of the current call, shared by all: a result is valid until the next call. */
let scratch = Buffer.alloc(0);

/** One zlib stream, driven synchronously. */
class SyncStream {
  readonly #handle: ZlibHandle;
  /** Set by zlib: how much of the output and of the input is left. */
  readonly #state: Uint32Array;
  #hasFailed = false;

  private constructor(handle: ZlibHandle, state: Uint32Array) {
    this.#handle = handle;
    this.#state = state;
    handle.onerror = () => {
      this.#hasFailed = true;
    };
  }

  /** Null if Node's internals are not what this file expects. */
  static open(stream: zlib.DeflateRaw | zlib.InflateRaw): SyncStream | null {
    const { _handle: handle, _writeState: state } = stream as unknown as {
      _handle?: ZlibHandle;
      _writeState?: unknown;
    };
    const isKnown =
      typeof handle?.writeSync === 'function' &&
      typeof handle.reset === 'function' &&
      typeof handle.close === 'function' &&
      state instanceof Uint32Array &&
      state.length >= 2;
    return isKnown ? new SyncStream(handle, state) : null;
  }

  /** Writes from scratch[at] on. Returns where the output ends, -1 if that would be beyond `max`, -2 if the input is invalid. */
  run(input: Uint8Array, start: number, end: number, at: number, max: number): number {
    let inputAt = start;
    let outputAt = at;
    for (;;) {
      if (outputAt === scratch.length) grow();
      const room = scratch.length - outputAt;
      this.#handle.writeSync(Z_SYNC_FLUSH, input, inputAt, end - inputAt, scratch, outputAt, room);
      if (this.#hasFailed) return -2;
      const outputLeft = this.#state[0] as number;
      inputAt = end - (this.#state[1] as number);
      outputAt = scratch.length - outputLeft;
      if (outputAt > max) return -1;
      // zlib left room in the output, so it has no more of it.
      if (outputLeft > 0) return outputAt;
    }
  }

  /** The last run did not use all of its input: the deflate stream has ended (§7.2.3.5). */
  get hasInputLeft(): boolean {
    return (this.#state[1] as number) > 0;
  }

  reset(): void {
    this.#hasFailed = false;
    this.#handle.reset();
  }

  close(): void {
    this.#handle.close();
  }
}

/** Whether contexts can be kept from one message to the next. */
export const canKeepContext = probe();

export class Compressor {
  readonly #windowBits: number;
  readonly #memLevel: number;
  readonly #keepsContext: boolean;
  /** Owned: closed in close(). */
  readonly #stream: SyncStream | null;

  /** `isStreaming`: use zlib's handle. */
  constructor(windowBits: number, memoryLevel: number, keepsContext: boolean, isStreaming = canKeepContext) {
    this.#windowBits = windowBits;
    this.#memLevel = memoryLevel;
    this.#keepsContext = keepsContext;
    this.#stream = isStreaming ? SyncStream.open(zlib.createDeflateRaw({ windowBits, memLevel: memoryLevel })) : null;
  }

  /** The payload of a compressed message, valid until the next call. The message must not be empty. */
  compress(bytes: Uint8Array): Buffer {
    const stream = this.#stream;
    if (stream === null) {
      const options = { windowBits: this.#windowBits, memLevel: this.#memLevel, finishFlush: Z_SYNC_FLUSH };
      const output = zlib.deflateRawSync(bytes, options);
      return output.subarray(0, output.length - TAIL.length);
    }
    ready();
    const end = stream.run(bytes, 0, bytes.byteLength, 0, Number.POSITIVE_INFINITY);
    if (end < TAIL.length) throw new Error('zlib cannot compress');
    if (!this.#keepsContext) stream.reset();
    return scratch.subarray(0, end - TAIL.length);
  }

  close(): void {
    this.#stream?.close();
  }
}

export class Decompressor {
  readonly #windowBits: number;
  readonly #keepsContext: boolean;
  /** Owned: closed in close(). */
  readonly #stream: SyncStream | null;

  /** `isStreaming`: use zlib's handle. */
  constructor(windowBits: number, keepsContext: boolean, isStreaming = canKeepContext) {
    this.#windowBits = windowBits;
    this.#keepsContext = keepsContext;
    this.#stream = isStreaming ? SyncStream.open(zlib.createInflateRaw({ windowBits })) : null;
  }

  /** The message, valid until the next call, or the code to close with: 1007 if it is invalid, 1009 if longer than `max` bytes. */
  decompress(payload: Buffer, start: number, end: number, max: number): Buffer | 1007 | 1009 {
    const stream = this.#stream;
    if (start === end) return NOTHING;
    if (stream === null) return inflateAtOnce(payload.subarray(start, end), this.#windowBits, max);
    ready();
    let length = stream.run(payload, start, end, 0, max);
    const hasEnded = length >= 0 && stream.hasInputLeft;
    if (length >= 0 && !hasEnded) length = stream.run(TAIL, 0, TAIL.length, length, max);
    // The tail is left over if the message ended its deflate stream; later messages cannot refer to it then.
    if (length < 0 || !this.#keepsContext || stream.hasInputLeft) stream.reset();
    if (length === -1) return CloseCode.tooBig;
    if (length < 0) return CloseCode.invalidPayload;
    return scratch.subarray(0, length);
  }

  close(): void {
    this.#stream?.close();
  }
}

function inflateAtOnce(payload: Buffer, windowBits: number, max: number): Buffer | 1007 | 1009 {
  try {
    const input = Buffer.concat([payload, TAIL]);
    return zlib.inflateRawSync(input, { windowBits, finishFlush: Z_SYNC_FLUSH, maxOutputLength: Math.max(1, max) });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ERR_BUFFER_TOO_LARGE' ? CloseCode.tooBig : CloseCode.invalidPayload;
  }
}

/** Does not keep a large message's memory for the small ones that follow. */
function ready(): void {
  if (scratch.length !== SCRATCH) scratch = Buffer.allocUnsafeSlow(SCRATCH);
}

function grow(): void {
  const larger = Buffer.allocUnsafeSlow(2 * scratch.length);
  larger.set(scratch);
  scratch = larger;
}

function probe(): boolean {
  const stream = SyncStream.open(zlib.createDeflateRaw());
  stream?.close();
  return stream !== null;
}
