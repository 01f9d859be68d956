/**
 * Every reason for refusing a request, with its status and text. After a refusal the connection closes: its framing can no
 * longer be trusted, or its client broke a limit.
 */
export interface Refusal {
  readonly status: number;
  /** Explanation for people, sent as the content. */
  readonly text: string;
}

function refusal(status: number, text: string): Refusal {
  return { status, text };
}

export const REFUSALS = {
  // Request line
  methodNotToken: refusal(400, 'the method is not a token'),
  // Not the 501 of RFC 9112 §3: every token is a method here, so this is a line without an end.
  methodTooLong: refusal(400, 'the method is too long'),
  tooManyEmptyLines: refusal(400, 'too many empty lines before the request line'),
  targetInvalid: refusal(400, 'the request target is malformed or holds a character that must be percent-encoded'),
  targetFormNotAllowed: refusal(400, 'this method does not allow this form of request target'),
  requestLineTooLong: refusal(414, 'the request line is too long'),
  versionInvalid: refusal(400, 'the request line does not end in an HTTP version'),
  versionNotSupported: refusal(505, 'only HTTP/1.0 and HTTP/1.1 are supported'),
  lineEndInvalid: refusal(400, 'a line does not end in CR LF'),
  connectNotImplemented: refusal(501, 'CONNECT is not supported'), // RFC 9110 §9.3.6
  // Header section
  lineFolded: refusal(400, 'a field line starts with white space'),
  fieldNameInvalid: refusal(400, 'a field name is not a token followed by a colon'),
  fieldValueInvalid: refusal(400, 'a field value holds a control character'),
  fieldsTooLarge: refusal(431, 'the header section is too large'),
  tooManyFields: refusal(431, 'too many field lines'),
  hostMissing: refusal(400, 'the Host field is missing'),
  hostRepeated: refusal(400, 'more than one Host field'),
  hostInvalid: refusal(400, 'the Host field is not a host and port'),
  hostDiffers: refusal(400, 'the Host field differs from the host of the request target'),
  // Body framing
  lengthInvalid: refusal(400, 'Content-Length is not a valid number'),
  lengthRepeated: refusal(400, 'more than one Content-Length'), // RFC 9110 §8.6 allows refusing identical ones too
  lengthAndCoding: refusal(400, 'both Content-Length and Transfer-Encoding'), // RFC 9112 §6.1
  codingInOldVersion: refusal(400, 'Transfer-Encoding in HTTP/1.0'), // RFC 9112 §6.1
  codingInvalid: refusal(400, 'Transfer-Encoding is not a list of codings that ends in one "chunked"'), // RFC 9112 §6.3
  codingNotImplemented: refusal(501, 'a transfer coding other than chunked'),
  bodyTooLarge: refusal(413, 'the content is too large'),
  chunkSizeInvalid: refusal(400, 'a chunk size is not a hexadecimal number'),
  chunkExtensionInvalid: refusal(400, 'a chunk extension is malformed'),
  chunkExtensionsTooLarge: refusal(400, 'the chunk extensions are too large'), // RFC 9112 §7.1.1: any 4xx; the content itself is not too large
  chunkEndInvalid: refusal(400, 'chunk data is not followed by CR LF'),
  trailersTooLarge: refusal(431, 'the trailer section is too large'),
  // Content
  contentNotJson: refusal(400, 'the content is not valid JSON'),
  // Beyond syntax
  tlsRequired: refusal(400, 'this port speaks HTTPS: use https:// in the address'),
  expectationUnknown: refusal(417, 'only "100-continue" is supported in Expect'),
  upgradeImpossible: refusal(400, 'the protocol cannot be changed after content or in HTTP/1.0'),
  ended: refusal(400, 'the connection ended within a request'),
  headTooSlow: refusal(408, 'the head of the request took too long'),
  requestTooSlow: refusal(408, 'the request took too long'),
  bodyTooSlow: refusal(408, 'the content stopped arriving'),
  tooManyConnections: refusal(503, 'too many connections'),
  handlerTooSlow: refusal(503, 'the server took too long to answer'),
  handlerFailed: refusal(500, 'the server failed to answer'),
} as const satisfies Record<string, Refusal>;

export type RefusalReason = keyof typeof REFUSALS;
