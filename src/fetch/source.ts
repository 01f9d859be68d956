/**
 * What an incoming request is read from: the part of the fast level's `Call` and `Body` that this room uses. Nothing here is
 * touched before a handler asks for it.
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
  /** Content-Length; 0 without content, null if chunked. */
  readonly length: number | null;
  /** All of it, if it arrived with the head; else null. */
  readonly now: Uint8Array | null;
  /** All of it as text, if it arrived with the head, and then it has been read; else null. */
  takeText(): string | null;
  bytes(): Promise<Uint8Array>;
  stream(): ReadableStream<Uint8Array>;
}
