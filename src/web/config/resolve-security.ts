/** From the tables `[security]`, one inside the other, to what protects a route. */
import { NetworkList } from '../../content/addresses.ts';
import type { Resolver } from './context.ts';
import type { KeyPath } from './fault.ts';
import type { WrittenSecurity } from './schema-security.ts';
import { readSpan } from './schema-values.ts';
import type { Secret } from './secret.ts';
import type { BasicAuthConfig, CorsConfig, RateLimitConfig, SecurityConfig } from './security-config.ts';

/** A table and where it stands; what it leaves out is looked for in the next. */
export interface Layer {
  readonly table: WrittenSecurity;
  readonly path: KeyPath;
}

const SIMPLE_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const CORS_MAX_AGE_S = 600;

/** `layers` from the innermost to the outermost. Only faults of the innermost are told: the others have been told before. */
export function resolveSecurity(layers: readonly Layer[], resolver: Resolver): SecurityConfig {
  const [own] = layers as [Layer];
  const find = <Key extends keyof WrittenSecurity>(key: Key): WrittenSecurity[Key] =>
    layers.find(({ table }) => table[key] !== undefined)?.table[key];
  checkNetworks(own, 'ip_whitelist', resolver);
  checkNetworks(own, 'ip_blacklist', resolver);
  const origins = readOrigins(own, 'cors_origins', find('cors_origins') ?? [], resolver);
  const trusted = readOrigins(own, 'csrf_origins', find('csrf_origins') ?? [], resolver);
  const isCors = find('enable_cors') ?? false;
  if (isCors && origins.length === 0 && own.table.enable_cors === true) {
    resolver.faults.add([...own.path, 'enable_cors'], 'must come with cors_origins, got none');
  }
  if (origins.includes('*') && find('cors_credentials') === true) {
    // Fetch §3.3.5: credentials need an origin that is named.
    resolver.faults.mustBe([...own.path, 'cors_origins'], 'named origins where cors_credentials is true', origins);
  }
  const cors: CorsConfig = {
    origins,
    methods: find('cors_methods') ?? SIMPLE_METHODS,
    headers: find('cors_headers') ?? [],
    exposed: find('cors_expose') ?? [],
    allowsCredentials: find('cors_credentials') ?? false,
    maxAgeS: secondsOf(find('cors_max_age') ?? CORS_MAX_AGE_S),
  };
  const headers = new Map<string, readonly [string, string]>();
  for (const { table } of [...layers].reverse()) {
    for (const [key, value] of Object.entries(table.headers ?? {})) {
      const name = fieldName(key);
      headers.set(name.toLowerCase(), [name, value]);
    }
  }
  return {
    rateLimit: resolveRateLimit(find('rate_limit')),
    allow: find('ip_whitelist') ?? [],
    deny: find('ip_blacklist') ?? [],
    basicAuth: resolveBasicAuth(layers, resolver),
    cors: isCors ? cors : null,
    csrf: find('enable_csrf') === true ? { origins: trusted } : null,
    headers: [...headers.values()],
  };
}

/** `x_frame_options`, or any name as it is sent. */
function fieldName(key: string): string {
  if (!/^[a-z0-9_]+$/.test(key)) return key;
  return key
    .split('_')
    .map((word) => (word === '' ? '' : `${(word[0] as string).toUpperCase()}${word.slice(1)}`))
    .join('-');
}

export function checkNetworkList(path: KeyPath, networks: readonly string[], resolver: Resolver): void {
  for (const [index, network] of networks.entries()) {
    try {
      new NetworkList([network]);
    } catch {
      resolver.faults.mustBe([...path, index], 'an address or a network such as 192.168.1.0/24', network);
    }
  }
}

function checkNetworks({ table, path }: Layer, key: 'ip_whitelist' | 'ip_blacklist', resolver: Resolver): void {
  checkNetworkList([...path, key], table[key] ?? [], resolver);
}

function readOrigins(
  { table, path }: Layer,
  key: 'cors_origins' | 'csrf_origins',
  origins: readonly string[],
  resolver: Resolver,
): readonly string[] {
  for (const [index, origin] of (table[key] ?? []).entries()) {
    if (origin === '*' && key === 'cors_origins') continue;
    if (!URL.canParse(origin) || new URL(origin).origin !== origin.toLowerCase()) {
      resolver.faults.mustBe([...path, key, index], 'an origin such as https://example.com, without a path', origin);
    }
  }
  return origins.map((origin) => origin.toLowerCase());
}

function resolveRateLimit(written: WrittenSecurity['rate_limit']): RateLimitConfig | null {
  if (written === undefined || written === 0) return null;
  if (typeof written === 'number') return { requests: written, perMs: 60_000, burst: written, key: 'address' };
  const { requests, per, burst = requests, key } = written;
  return { requests, perMs: readSpan(per), burst, key: key === 'address' ? key : { header: key.toLowerCase() } };
}

const HASH = /^\$(2[aby]\$\d\d\$[./A-Za-z0-9]{53}|scrypt\$.+)$/;

function resolveBasicAuth(layers: readonly Layer[], resolver: Resolver): BasicAuthConfig | null {
  const layer = layers.find(({ table }) => table.basic_auth !== undefined);
  const written = layer?.table.basic_auth;
  if (layer === undefined || written === undefined || written === false) return null;
  const isOwn = layer === layers[0];
  const path = [...layer.path, 'basic_auth'];
  const users: Record<string, Secret> = Object.create(null);
  if (written.users_file !== undefined) {
    const text = resolver.text([...path, 'users_file'], written.users_file);
    for (const [index, line] of text.split('\n').entries()) {
      const [, name, hash] = /^([^:#]+):(\S+)\s*$/.exec(line) ?? [];
      if (name !== undefined && hash !== undefined && HASH.test(hash)) users[name] = { secret: hash };
      else if (line.trim() !== '' && !line.startsWith('#') && isOwn) {
        resolver.faults.add(
          [...path, 'users_file'],
          `must have lines of name:hash, with bcrypt or scrypt; line ${index + 1} is none`,
        );
      }
    }
  }
  for (const [name, value] of Object.entries(written.users)) {
    const hash = resolver.secret([...path, 'users', name], value);
    users[name] = hash;
    if (isOwn && (!HASH.test(hash.secret) || name.includes(':'))) {
      resolver.faults.add(
        [...path, 'users', name],
        'must be a name without ":" and a hash: bcrypt ($2b$…) or scrypt ($scrypt$…)',
      );
    }
  }
  if (Object.keys(users).length === 0 && isOwn) resolver.faults.add(path, 'must have users or users_file, got neither');
  return { realm: written.realm, users: { ...users } };
}

function secondsOf(value: number | string): number {
  return Math.round(readSpan(value) / 1000);
}
