/** What a worker serves, as data: an answer of `src/app`, or the sites of a configuration. */
import type { AppSource } from '../app/source.ts';
import type { WebConfig } from '../web/config/web-config.ts';
import type { SharedState } from '../web/shared-state.ts';

export interface WebSource {
  readonly kind: 'web';
  /** Its listeners have the ports that the kernel has chosen, once the first worker listens. */
  readonly config: WebConfig;
  /** Memory that all workers use. */
  readonly shared: SharedState;
}

export type WorkerApp = AppSource | WebSource;
