/** The client's fault, found while a handler was reading its content. A handler need not catch it: the engine answers. */
import { REFUSALS, type RefusalReason } from '../http/refusals.ts';

export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly reason: RefusalReason;
  /** The status that the client gets. */
  readonly status: number;

  constructor(reason: RefusalReason) {
    super(REFUSALS[reason].text);
    this.reason = reason;
    this.status = REFUSALS[reason].status;
  }
}
