/** Names of requests, by which their lines in several logs are found. */
import { randomBytes } from 'node:crypto';

/** What a proxy in front of us may say: enough for UUIDs and trace ids, and nothing that means something in a log or a shell. */
const VALID = /^[A-Za-z0-9_.:=+/-]{1,128}$/;

export class RequestIds {
  readonly #prefix = randomBytes(6).toString('hex');
  #count = 0;

  next(): string {
    return `${this.#prefix}${(this.#count++).toString(36).padStart(6, '0')}`;
  }
}

export function isRequestId(text: string): boolean {
  return VALID.test(text);
}
