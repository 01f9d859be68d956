/** Limits on one request, in octets unless the name says otherwise. Defaults live with the options (`cli/settings.ts`). */
export interface RequestLimits {
  /** Request line without its CR LF; beyond it 414. */
  readonly maxRequestLine: number;
  /** Header section with all its line ends, and trailer section likewise; beyond it 431. */
  readonly maxHeaderSize: number;
  /** Field lines in a header or trailer section; beyond it 431. */
  readonly maxHeaderCount: number;
  /** Content after removing the chunked coding; beyond it 413. */
  readonly maxBodySize: number;
}

/** Empty lines skipped before a request line (RFC 9112 §2.2 asks for at least one). */
export const MAX_EMPTY_LINES = 8;
/** All chunk extensions of one request together; beyond it 400 (RFC 9112 §7.1.1). */
export const MAX_CHUNK_EXTENSIONS = 4096;
/** Digits of one chunk size: enough for 2^64 - 1. */
export const MAX_CHUNK_SIZE_DIGITS = 16;
