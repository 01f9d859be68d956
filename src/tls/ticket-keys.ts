/**
 * Keys of session tickets (RFC 5077 §4, RFC 8446 §4.6.1): the same in all workers, so that a client may resume its session with any
 * of them, and replaced after a while. Each worker computes them from one secret. The secret is replaced with them, by its
 * own hash, so that old tickets cannot be decrypted by whoever learns it later.
 */
import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';

/** Can be sent to other workers. */
export interface TicketSecret {
  readonly bytes: Uint8Array;
  /** From which on the first keys count, as `ticketTime` tells it. */
  readonly since: number;
}

/**
 * Milliseconds of the system's monotonic clock: the same in all threads and processes of a machine, whatever happens to the time of
 * day. Keys that had followed that one ahead would not change again until it is there once more.
 */
export function ticketTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1_000_000;
}

export function makeTicketSecret(): TicketSecret {
  return { bytes: new Uint8Array(randomBytes(32)), since: ticketTime() };
}

/** What OpenSSL takes: 16 bytes of name, 16 of HMAC key, 16 of AES key. */
const KEYS_LENGTH = 48;

export class TicketKeys {
  readonly #periodMs: number;
  #secret: Buffer;
  #since: number;
  #keys: Buffer;

  constructor({ bytes, since }: TicketSecret, periodMs: number) {
    this.#periodMs = periodMs;
    this.#secret = Buffer.from(bytes);
    this.#since = since;
    this.#keys = keysOf(this.#secret);
  }

  /** The same object until it is time for others. */
  at(now: number = ticketTime()): Buffer {
    if (now < this.#since + this.#periodMs) return this.#keys;
    while (now >= this.#since + this.#periodMs) {
      this.#secret = hash('sha256', 'next', this.#secret);
      this.#since += this.#periodMs;
    }
    this.#keys = keysOf(this.#secret);
    return this.#keys;
  }

  /** For a worker that starts now. */
  get secret(): TicketSecret {
    return { bytes: new Uint8Array(this.#secret), since: this.#since };
  }
}

function keysOf(secret: Buffer): Buffer {
  return hash('sha512', 'keys', secret).subarray(0, KEYS_LENGTH);
}

function hash(algorithm: string, label: string, secret: Buffer): Buffer {
  return createHash(algorithm).update(label).update(secret).digest();
}
