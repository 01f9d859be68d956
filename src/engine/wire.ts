/**
 * One socket as a connection uses it: what was put out is written, reading pauses and goes on, the end. Owns the socket, until it
 * is destroyed or handed over.
 */
import type { Address, PeerCredentials } from './address.ts';
import { ClientGone } from './client-gone.ts';
import type { Output } from './output.ts';
import { type Transport, type TransportSocket, WriteResult, type WriteResultValue } from './transport.ts';

export class Wire {
  readonly socket: TransportSocket;
  readonly #transport: Transport;
  readonly #output: Output;
  #isPaused = false;
  /** Asked for once: what asks does so for each request. */
  #remote: Address | null = null;
  /** The bytes that were pending at the last check. */
  #pendingBytes = 0;
  /** To be resolved when the kernel has taken everything. */
  #unsent: PromiseWithResolvers<void>[] | null = null;

  constructor(transport: Transport, socket: TransportSocket, output: Output) {
    this.#transport = transport;
    this.socket = socket;
    this.#output = output;
  }

  get remoteAddress(): Address {
    this.#remote ??= this.#transport.remoteAddress(this.socket);
    return this.#remote;
  }

  get localAddress(): Address {
    return this.#transport.localAddress(this.socket);
  }

  get peerCredentials(): PeerCredentials | null {
    return this.#transport.peerCredentials(this.socket);
  }

  get isPending(): boolean {
    return this.#transport.pendingBytes(this.socket) > 0;
  }

  /** Writes what was put out. After `pending` nothing is read until `resume`. */
  send(): WriteResultValue {
    const output = this.#output;
    const large = output.takeLarge();
    const bytes = output.take();
    if (bytes === null) return WriteResult.done;
    let result = this.#transport.write(this.socket, bytes);
    if (result === WriteResult.pending) output.keep(bytes);
    if (large !== null && result !== WriteResult.failed) {
      const isPending = result === WriteResult.pending;
      result = this.#transport.write(this.socket, large);
      if (isPending && result === WriteResult.done) result = WriteResult.pending;
    }
    if (result === WriteResult.pending) {
      this.pause();
    } else if (result === WriteResult.done && this.#unsent !== null) {
      this.resolveSent();
    }
    return result;
  }

  /** Looks how much is pending, for `hasProgressed`. */
  watch(): void {
    this.#pendingBytes = this.#transport.pendingBytes(this.socket);
  }

  /** The kernel has taken something since the last `watch`. */
  get hasProgressed(): boolean {
    return this.#transport.pendingBytes(this.socket) !== this.#pendingBytes;
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#transport.pause(this.socket);
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#transport.resume(this.socket);
  }

  /** `sent` is resolved when the kernel has everything that was put out so far. */
  whenSent(sent: PromiseWithResolvers<void>): void {
    this.#unsent ??= [];
    this.#unsent.push(sent);
  }

  /** The kernel has taken everything. */
  resolveSent(): void {
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    for (const sent of unsent) sent.resolve();
  }

  /** Sends FIN. */
  end(): void {
    this.#transport.end(this.socket);
  }

  /** Closes with RST, so that a partial answer does not look complete. Call `destroy` afterwards. */
  reset(): void {
    this.#output.take();
    this.#transport.reset(this.socket);
  }

  destroy(): void {
    this.#transport.destroy(this.socket);
    const unsent = this.#unsent;
    if (unsent === null) return;
    this.#unsent = null;
    for (const sent of unsent) {
      // The promise may have no observer.
      sent.promise.catch(ignore);
      sent.reject(new ClientGone());
    }
  }
}

function ignore(): void {}
