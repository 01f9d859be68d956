/** Which compressor and decompressor a socket uses: those that all share, or its own. Owns its own. */
import { Compressor, Decompressor } from './deflate.ts';
import type { DeflateAgreement } from './deflate-negotiation.ts';

/** Those without context, made when first needed; a worker has one. They live as long as it does. */
export class SharedDeflate {
  readonly #compressors: (Compressor | undefined)[] = new Array(16).fill(undefined);
  #decompressor: Decompressor | null = null;

  compressor(windowBits: number): Compressor {
    const made = this.#compressors[windowBits] ?? new Compressor(windowBits, 8, false);
    this.#compressors[windowBits] = made;
    return made;
  }

  /** The largest window reads what was made with any. */
  get decompressor(): Decompressor {
    this.#decompressor ??= new Decompressor(15, false);
    return this.#decompressor;
  }
}

export class SocketDeflate {
  readonly threshold: number;
  readonly #agreement: DeflateAgreement;
  readonly #memoryLevel: number;
  readonly #shared: SharedDeflate;
  /** Owned: closed in close(). */
  #compressor: Compressor | null = null;
  /** Owned: closed in close(). */
  #decompressor: Decompressor | null = null;

  constructor(agreement: DeflateAgreement, memoryLevel: number, threshold: number, shared: SharedDeflate) {
    this.#agreement = agreement;
    this.#memoryLevel = memoryLevel;
    this.threshold = threshold;
    this.#shared = shared;
  }

  /** What its compressor makes is good for others too. */
  get isShared(): boolean {
    return !this.#agreement.serverKeepsContext;
  }

  get compressor(): Compressor {
    const { serverKeepsContext, serverWindowBits } = this.#agreement;
    if (!serverKeepsContext) return this.#shared.compressor(serverWindowBits);
    this.#compressor ??= new Compressor(serverWindowBits, this.#memoryLevel, true);
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
