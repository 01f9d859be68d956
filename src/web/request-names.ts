/** What a request is called in the log, and by upstreams: as a trusted proxy says, or by a name of our own. */
import type { Call } from '../engine/call.ts';
import type { RequestView } from '../engine/request-view.ts';
import { isRequestId, RequestIds } from '../log/request-id.ts';
import type { Clients } from './client.ts';

export class RequestNames {
  readonly #clients: Clients;
  readonly #ids = new RequestIds();

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  /** The same whenever it is asked. */
  readonly of = (call: Call): string => {
    const view = call as RequestView;
    if (view.requestId !== '') return view.requestId;
    const given = this.#clients.isTrusted(call) ? call.header('x-request-id') : null;
    view.requestId = given !== null && isRequestId(given) ? given : this.#ids.next();
    return view.requestId;
  };
}
