/** Backends as data: what a proxy needs to know of them, and the process that serves one. Times in milliseconds. */
import type { ApplicationSettings } from '../../processes/application.ts';
import type { ProxySettings } from '../../proxy/settings.ts';
import type { Secret } from './secret.ts';

export const APP_TYPES = ['proxy', 'nodejs', 'python', 'tomcat'] as const;
export type AppType = (typeof APP_TYPES)[number];

/** Its name is its key in the file. It has at least one upstream: that of its process if no other is given. */
export interface BackendConfig extends ProxySettings {
  /** What it is written in: for people. */
  readonly appType: AppType;
  readonly process: ProcessConfig | null;
}

export interface ProcessConfig extends Omit<ApplicationSettings, 'name' | 'env' | 'uid' | 'gid' | 'readiness'> {
  /** All that it gets, besides `passEnv` and PORT. */
  readonly env: Readonly<Record<string, string | Secret>>;
  /** Variables of the server that it gets too. */
  readonly passEnv: readonly string[];
  /** Names or numbers; null: the server's. */
  readonly user: string | null;
  readonly group: string | null;
  /** Copies of it, each with a port of its own: the first has `port`, each further one the next. */
  readonly instances: number;
  /** What it prints; null: stderr of the server. */
  readonly logPath: string | null;
}
