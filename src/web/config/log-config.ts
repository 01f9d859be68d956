/** Logs as data. Sizes in bytes, times in milliseconds. */
import type { RotationOptions } from '../../log/rotation.ts';

export const LOG_FORMATS = ['common', 'combined', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggingConfig {
  /** null: none. */
  readonly access: AccessLogConfig | null;
  /** Of what goes wrong; null: stderr. */
  readonly errorPath: string | null;
  /** Of log files, those of managed processes included; null: not by us. A file that is moved away is opened anew. */
  readonly rotation: RotationOptions | null;
}

export interface AccessLogConfig {
  /** null: stdout. */
  readonly path: string | null;
  readonly format: LogFormat;
  /** Lines that wait at most before they are written … */
  readonly bufferLines: number;
  /** … or for this long. */
  readonly flushMs: number;
  /** Paths that are not logged, exact. */
  readonly excludes: readonly string[];
}
