/** Why a request is over before its answer: the reason of its `signal`. */

/** Named as `fetch` and Node name what an AbortSignal ends, by which programs tell it from faults. */
export class ClientGone extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';

  constructor(message = 'the client is gone') {
    super(message);
  }
}
