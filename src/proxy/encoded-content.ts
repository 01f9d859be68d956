/** Content of one answer on its way through a coding, such as gzip: pieces in, pieces out, in the thread pool. Owns the coder. */
import { Buffer } from 'node:buffer';
import type { Transform } from 'node:stream';

/** How the answers of one request are coded; made before the answer is known. */
export interface AnswerCoding {
  /** The head and the coder for an answer; null: it goes as it is. `length` is -1 if it is not known. */
  encode(status: number, lines: string, length: number, hasContent: boolean): EncodedHead | null;
}

export interface EncodedHead {
  /** Fields, each line with its CR LF. */
  readonly lines: string;
  /** null: the content goes as it is, or there is none. Owned by whoever gets it. */
  readonly coder: Transform | null;
  /** The length that upstream said is that of the content that is sent. */
  readonly keepsLength: boolean;
}

/** Whoever sends what comes out. Never called from within a call of its own. */
export interface EncodedContentOwner {
  onEncoded(piece: Buffer): void;
  /** More can be put. */
  onEncoderReady(): void;
  /** All has come out. */
  onEncodedEnd(): void;
  onEncoderFailure(): void;
}

export class EncodedContent {
  readonly #coder: Transform;
  /** It should get no more for now. */
  isFull = false;

  constructor(coder: Transform, owner: EncodedContentOwner) {
    this.#coder = coder;
    coder.on('data', (piece: Buffer) => owner.onEncoded(piece));
    coder.on('drain', () => {
      this.isFull = false;
      owner.onEncoderReady();
    });
    coder.on('end', () => owner.onEncodedEnd());
    coder.on('error', () => owner.onEncoderFailure());
  }

  /** Copies bytes[start, end). */
  put(bytes: Buffer, start: number, end: number): void {
    if (!this.#coder.write(Buffer.from(bytes.subarray(start, end)))) this.isFull = true;
  }

  end(): void {
    this.#coder.end();
  }

  /** The client is slow. */
  pause(): void {
    this.#coder.pause();
  }

  resume(): void {
    this.#coder.resume();
  }

  close(): void {
    this.#coder.removeAllListeners();
    // It may still fail while the pool is at work.
    this.#coder.on('error', () => {});
    this.#coder.destroy();
  }
}
