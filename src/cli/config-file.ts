/** Reads the configuration that a command was given; loads what that takes only then. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ConfigContext } from '../web/config/context.ts';
import type { ConfigInput, WrittenConfig } from '../web/config/schema.ts';
import type { WebConfig } from '../web/config/web-config.ts';
import type { Environment } from './process-io.ts';

export const DEFAULT_FILE = 'vrypt.toml';

export interface GoodConfig {
  readonly kind: 'good';
  readonly config: WebConfig;
  readonly written: WrittenConfig;
}

export type ReadConfig =
  | GoodConfig
  /** Lines for a person: `file:line: key rule, value`. */
  | { readonly kind: 'bad'; readonly messages: readonly string[] };

/** `judgeCertificate`: as in `ConfigContext`. */
export async function readConfigFile(
  file: string,
  environment: Environment,
  judgeCertificate?: ConfigContext['judgeCertificate'],
): Promise<ReadConfig> {
  let toml: string;
  try {
    toml = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: 'bad', messages: [`${file}: must be a file that can be read (${code})`] };
  }
  const { readConfigText } = await import('../web/config/read-config.ts');
  return readConfigText(toml, file, {
    directory: path.dirname(path.resolve(file)),
    environment,
    ...(judgeCertificate === undefined ? {} : { judgeCertificate }),
  });
}

/** What a command line comes to. Its faults name the keys of a file. */
export async function readConfigObject(input: ConfigInput, environment: Environment): Promise<ReadConfig> {
  const { readConfig } = await import('../web/config/read-config.ts');
  const { formatPath } = await import('../web/config/fault.ts');
  const read = readConfig(input, { directory: process.cwd(), environment });
  if (read.kind === 'good') return read;
  return { kind: 'bad', messages: read.faults.map(({ path, text }) => `${formatPath(path)} ${text}`) };
}
