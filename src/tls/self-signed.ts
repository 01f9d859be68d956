/** A certificate of our own, for trying things out and until there is a real one: clients must be told to trust it. */
import { keyPem, makeKey, selfSign } from './write-certificate.ts';

/** In PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export const LOCALHOST: readonly string[] = ['localhost', '127.0.0.1', '::1'];

const DAY_MS = 86_400_000;
/** Apple's systems take no server certificate that lasts longer than 825 days. */
const LIFETIME_DAYS = 365;

/** For these DNS names (`*.` included) and IP addresses; valid for a year. */
export function makeSelfSigned(names: readonly string[] = LOCALHOST): KeyPair {
  const key = makeKey();
  const now = Date.now();
  // Clocks differ.
  const from = new Date(now - DAY_MS);
  const to = new Date(now + LIFETIME_DAYS * DAY_MS);
  return { cert: selfSign({ names, key, from, to }), key: keyPem(key) };
}
