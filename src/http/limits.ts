/** Limits on one message, in bytes unless the name says otherwise. */
export interface MessageLimits {
  /** Header section with all its line ends, and trailer section likewise; a larger one gets 431. */
  readonly maxHeaderSize: number;
  /** Field lines in a header or trailer section; more of them get 431. */
  readonly maxHeaderCount: number;
  /** Content after removing the chunked coding; more of it gets 413. */
  readonly maxBodySize: number;
}

/** Limits on one request. The options own the defaults (`cli/`). */
export interface RequestLimits extends MessageLimits {
  /** Request line without its CR LF; a longer one gets 414. */
  readonly maxRequestLine: number;
}

/** Limits on one response that is read. */
export interface ResponseLimits extends MessageLimits {
  /** Status line without its CR LF. */
  readonly maxStatusLine: number;
}

/** `maxBodySize` of a message whose content is only passed on: the largest length that can be counted exactly. */
export const UNLIMITED_BODY = Number.MAX_SAFE_INTEGER - 1;

/** Empty lines skipped before a request line (RFC 9112 §2.2 asks for at least one). */
export const MAX_EMPTY_LINES = 8;
/** All chunk extensions of one request together; more of them get 400 (RFC 9112 §7.1.1). */
export const MAX_CHUNK_EXTENSIONS = 4096;
/** Digits of one chunk size: enough for 2^64 - 1. */
export const MAX_CHUNK_SIZE_DIGITS = 16;
