/** A request that waits for a place at its upstream. */

import type { ConnectionUser } from './connection-user.ts';
import type { Upstream } from './upstream.ts';
import type { Watched } from './upstream-clock.ts';

export class WaitingUser implements Watched {
  index = 0;
  readonly deadline: number;
  readonly user: ConnectionUser;
  /** It may be sent twice. */
  readonly isRepeatable: boolean;
  readonly #upstream: Upstream;

  constructor(upstream: Upstream, user: ConnectionUser, isRepeatable: boolean) {
    this.#upstream = upstream;
    this.user = user;
    this.isRepeatable = isRepeatable;
    upstream.clock.watch(this);
    this.deadline = upstream.clock.now + upstream.settings.timeouts.connectMs;
  }

  onDeadline(): void {
    this.#upstream.remove(this);
    this.user.onBroken('busy', '');
  }
}
