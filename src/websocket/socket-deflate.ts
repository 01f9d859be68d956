/** The compressor and decompressor of a socket: the worker's shared ones, or its own. Owns its own. */
import { Compressor, Decompressor } from './deflate.ts';
import type { DeflateAgreement, DeflateOptions } from './deflate-negotiation.ts';

/** A worker's compressors and decompressor without context, made when first needed and kept as long as the worker lives. */
export class SharedDeflate {
  readonly #compressors: (Compressor | undefined)[] = new Array(16).fill(undefined);
  #decompressor: Decompressor | null = null;

  compressor(windowBits: number): Compressor {
    const made = this.#compressors[windowBits] ?? new Compressor(windowBits, 8, false);
    this.#compressors[windowBits] = made;
    return made;
  }

  /** The largest window can read what was compressed with any. */
  get decompressor(): Decompressor {
    this.#decompressor ??= new Decompressor(15, false);
    return this.#decompressor;
  }
}

export class SocketDeflate {
  readonly #agreement: DeflateAgreement;
  readonly #options: DeflateOptions;
  readonly #shared: SharedDeflate;
  /** Owned: closed in close(). */
  #compressor: Compressor | null = null;
  /** Owned: closed in close(). */
  #decompressor: Decompressor | null = null;

  constructor(agreement: DeflateAgreement, options: DeflateOptions, shared: SharedDeflate) {
    this.#agreement = agreement;
    this.#options = options;
    this.#shared = shared;
  }

  /** Whether to compress a message of that many bytes. `asked` is the program's choice; without one the threshold decides. */
  wants(length: number, asked: boolean | undefined): boolean {
    const { compresses, threshold } = this.#options;
    return compresses && asked !== false && length > 0 && (asked === true || length >= threshold);
  }

  /** The output of its compressor can be read by other clients too. */
  get isShared(): boolean {
    return !this.#agreement.serverKeepsContext;
  }

  get compressor(): Compressor {
    const { serverKeepsContext, serverWindowBits } = this.#agreement;
    if (!serverKeepsContext) return this.#shared.compressor(serverWindowBits);
    this.#compressor ??= new Compressor(serverWindowBits, this.#options.memoryLevel, true);
    return this.#compressor;
  }

  get decompressor(): Decompressor {
    const { clientKeepsContext, clientWindowBits } = this.#agreement;
    if (!clientKeepsContext) return this.#shared.decompressor;
    this.#decompressor ??= new Decompressor(clientWindowBits, true);
    return this.#decompressor;
  }

  close(): void {
    this.#compressor?.close();
    this.#decompressor?.close();
    this.#compressor = null;
    this.#decompressor = null;
  }
}
