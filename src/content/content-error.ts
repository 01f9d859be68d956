/** Errors in request content: the client's fault, so each maps to a 4xx status. */
export type ContentFault = 'malformed' | 'tooLarge' | 'unsupported';

const STATUSES = { malformed: 400, tooLarge: 413, unsupported: 415 } as const;

export interface ContentErrorOptions extends ErrorOptions {
  /** What the answer should say, such as Accept-Encoding (RFC 9110 §15.5.16). */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Readers of request content reject with it. The message may be sent to the client; a handler need not catch it. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly fault: ContentFault;
  readonly status: 400 | 413 | 415;
  readonly fields: Readonly<Record<string, string>>;

  constructor(fault: ContentFault, message: string, { fields = {}, ...options }: ContentErrorOptions = {}) {
    super(message, options);
    this.fault = fault;
    this.status = STATUSES[fault];
    this.fields = fields;
  }
}
