/**
 * What a request of the web level is read from: the part of the fast level's `Call` and `Body` that this room uses. Any
 * `Call` is one. Nothing here is touched before a handler asks for it.
 */

export interface RequestSource {
  readonly method: string;
  /** As it came: origin-form, absolute-form or `*`. */
  readonly target: string;
  /** Any case; repeated fields are joined as RFC 9110 §5.3 says, Cookie with "; ". */
  header(name: string): string | null;
  /** All fields, as they came. */
  fields(): Iterable<readonly [name: string, value: string]>;
  readonly body: RequestBody;
  readonly remote: { readonly address: string };
  readonly params: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  waitUntil(work: Promise<unknown>): void;
}

export interface RequestBody {
  /** Content-Length, 0 where the request has no content, null where it is chunked. */
  readonly length: number | null;
  /** All of it, uncopied, where it came along with the head; else null. */
  readonly now: Uint8Array | null;
  bytes(): Promise<Uint8Array>;
  stream(): ReadableStream<Uint8Array>;
}
