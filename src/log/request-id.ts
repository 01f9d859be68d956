/** Names of requests, by which their lines in several logs are found. */
import { randomBytes } from 'node:crypto';

/** What a proxy in front of us may say: enough for UUIDs and trace ids, and nothing that means something in a log or a shell. */
const VALID = /^[A-Za-z0-9_.:=+/-]{1,128}$/;

/** Two digits to the base of 36: the end of a name, of which the rest is made once for all of these. */
const ENDS: readonly string[] = Array.from({ length: 36 * 36 }, (_, at) => at.toString(36).padStart(2, '0'));

export class RequestIds {
  readonly #prefix = randomBytes(6).toString('hex');
  #beginning = '';
  #count = 0;

  next(): string {
    const at = this.#count++ % ENDS.length;
    if (at === 0) {
      const before = Math.floor((this.#count - 1) / ENDS.length);
      this.#beginning = `${this.#prefix}${before.toString(36).padStart(4, '0')}`;
    }
    return this.#beginning + ENDS[at];
  }
}

export function isRequestId(text: string): boolean {
  return VALID.test(text);
}
