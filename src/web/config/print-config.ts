/** A configuration with all its defaults, as a file that can be read again; secrets are masked. */
import { stringify } from 'smol-toml';
import type { WrittenConfig } from './schema.ts';
import { MASK } from './secret.ts';

/** Variables of processes that hold secrets more often than not. */
const SECRET_NAME = /pass|secret|token|key|credential|auth|dsn|database_url|connection/i;

export function printConfig(config: WrittenConfig): string {
  return `${stringify(masked(config, []) as Record<string, unknown>).trimEnd()}\n`;
}

function masked(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => masked(one, path));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    return Object.fromEntries(entries.map(([key, one]) => [key, masked(one, [...path, key])]));
  }
  return typeof value === 'string' && isSecret(path) ? MASK : value;
}

/** Where a secret is read from is none. */
function isSecret(path: readonly string[]): boolean {
  const [name = '', parent = ''] = [path.at(-1), path.at(-2)];
  if (name === 'api_token') return true;
  if (parent === 'users') return true;
  return parent === 'env' && path.includes('process') && SECRET_NAME.test(name);
}
