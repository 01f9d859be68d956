/** Errors in request content: the client's fault, so each maps to a 4xx status. */
export type ContentFault = 'malformed' | 'tooLarge' | 'unsupported';

const STATUSES = { malformed: 400, tooLarge: 413, unsupported: 415 } as const;

/** Readers of request content reject with it. The message may be sent to the client. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
  readonly fault: ContentFault;
  readonly status: 400 | 413 | 415;

  constructor(fault: ContentFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
    this.status = STATUSES[fault];
  }
}
