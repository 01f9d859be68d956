/** Backends as data: what a proxy needs to know of them, and the process that serves one. Times in milliseconds. */
import type { ApplicationSettings } from '../../processes/application.ts';
import type { ProxySettings } from '../../proxy/settings.ts';
import type { Secret } from './secret.ts';
import type { FilesAction } from './web-config.ts';

export const APP_TYPES = ['proxy', 'nodejs', 'python', 'tomcat', 'php', 'fastcgi'] as const;
export type AppType = (typeof APP_TYPES)[number];

/** Its name is its key in the file. It has at least one upstream: that of its process if no other is given. */
export interface BackendConfig extends ProxySettings {
  /** What it is written in: for people. */
  readonly appType: AppType;
  readonly process: ProcessConfig | null;
  /** Which files are programs, and what becomes of the others; null: the upstream gets every request. */
  readonly scripts: ScriptsConfig | null;
}

export interface ScriptsConfig {
  /** Programs, and the files that are served as they are. */
  readonly files: FilesAction;
  /** The folder as the application sees it, without a slash at its end. */
  readonly documentRoot: string;
  /** The program for what is no file, below the root; '': there is none. */
  readonly frontController: string;
  /** Paths below which nothing is run. */
  readonly noScripts: readonly string[];
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
