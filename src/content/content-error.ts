/** Why content could not be read as what it should be: the client's fault, so it has a status for the answer. */
export type ContentFault = 'malformed' | 'tooLarge' | 'unsupported';

const STATUSES = { malformed: 400, tooLarge: 413, unsupported: 415 } as const;

/** What readers of content reject with. Its message is fit for the client. */
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
