/** What a worker serves, as data: an answer of `src/app`, the sites of a configuration, or a program from disk. */
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

/** A program from disk, whose default export is an app of the library. */
export interface ModuleSource {
  readonly kind: 'module';
  /** Of a file that a person has named. */
  readonly url: string;
  readonly workers: number;
  /** Names the channel on which WebSockets of several threads reach each other. */
  readonly relayName: string;
  /** What a drain may take. */
  readonly drainMs: number;
}

export type WorkerApp = AppSource | WebSource | ModuleSource;
