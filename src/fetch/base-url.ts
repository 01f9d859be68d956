/** The base of relative URLs. A server has no page, so there is usually none. */

/** Where undici keeps the origin that `setGlobalOrigin` was given. */
const UNDICI_ORIGIN = Symbol.for('undici.globalOrigin.1');

/** Throws a TypeError if `input` is not a URL, with the base if there is one. */
export function parseUrl(input: string): URL {
  try {
    return new URL(input, baseUrl());
  } catch (cause) {
    throw new TypeError(`The URL must be absolute and valid, got ${JSON.stringify(input)}`, { cause });
  }
}

export function baseUrl(): string | undefined {
  const global = globalThis as { [UNDICI_ORIGIN]?: URL; location?: { href?: string } };
  return global[UNDICI_ORIGIN]?.href ?? global.location?.href;
}
