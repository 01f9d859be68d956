/**
 * Resolves names without getaddrinfo, which holds a thread of libuv's pool: the process cannot end before the call returns, and with
 * a silent name server that takes up to 20 s. Here /etc/hosts is read, and c-ares asks the name servers on
 * the event loop. Owns nothing between calls.
 */
import { Resolver } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

export interface Found {
  /** IPv4 before IPv6; at least one. */
  readonly addresses: readonly string[];
  /** Shortest time to live of the records; undefined if unknown, as for /etc/hosts. */
  readonly ttlMs: number | undefined;
}

export interface SystemFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

const SYSTEM_FILES: SystemFiles = { hosts: '/etc/hosts', resolvConf: '/etc/resolv.conf' };

/** c-ares doubles the time with each try: a silent name server is given up after 6 s. */
const TIMEOUT_MS = 2000;
const TRIES = 2;

/** RFC 8305 §3: once one family has been found, the other has this long. */
const RESOLUTION_DELAY_MS = 50;

/** Rejects with an Error named LookupError, whose message says what was looked up, and whose code is that of c-ares, such as ENOTFOUND. */
export async function lookUp(name: string, signal?: AbortSignal, files: SystemFiles = SYSTEM_FILES): Promise<Found> {
  if (isIP(name) !== 0) return { addresses: [name], ttlMs: undefined };
  // RFC 6761 §6.3. An image has no /etc/hosts, or one that knows only 127.0.0.1.
  if (/^(.*\.)?localhost\.?$/i.test(name)) return { addresses: ['127.0.0.1', '::1'], ttlMs: undefined };
  const known = inHosts(name, files.hosts);
  if (known.length > 0) return { addresses: known, ttlMs: undefined };
  const { servers, searched } = readResolvConf(name, files.resolvConf);
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers.length > 0) resolver.setServers([...servers]);
  const cancel = () => resolver.cancel();
  signal?.addEventListener('abort', cancel);
  try {
    return await ask(resolver, searched);
  } catch (error) {
    const { code = 'ERROR' } = error as NodeJS.ErrnoException;
    const message = `${name} ${REASONS[code] ?? 'cannot be looked up'} (${code})`;
    throw Object.assign(new Error(message), { name: 'LookupError', code });
  } finally {
    signal?.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'was not found',
  ENODATA: 'was not found',
  ETIMEOUT: 'cannot be looked up: no name server answers',
  ECONNREFUSED: 'cannot be looked up: no name server answers',
};

/** Of the first name that has an address. */
async function ask(resolver: Resolver, names: readonly string[]): Promise<Found> {
  let failure: unknown;
  for (const name of names) {
    try {
      return await askFamilies(resolver, name);
    } catch (error) {
      failure ??= error;
      const { code = '' } = error as NodeJS.ErrnoException;
      // A name server that is silent now is silent for the next name too.
      if (!['ENOTFOUND', 'ENODATA', 'ESERVFAIL', 'EREFUSED'].includes(code)) throw error;
    }
  }
  throw failure;
}

interface AddressRecord {
  readonly address: string;
  /** In seconds. */
  readonly ttl: number;
}

async function askFamilies(resolver: Resolver, name: string): Promise<Found> {
  const found: [AddressRecord[], AddressRecord[]] = [[], []];
  const families = (['resolve4', 'resolve6'] as const).map(
    (family, index) =>
      new Promise<void>((resolve, reject) => {
        resolver[family](name, { ttl: true }, (error, records) => {
          if (error !== null) return reject(error);
          found[index as 0 | 1] = records;
          return resolve();
        });
      }),
  );
  const all = Promise.allSettled(families);
  try {
    await Promise.any(families);
  } catch (error) {
    const errors = (error as AggregateError).errors as NodeJS.ErrnoException[];
    // ENODATA says only that the other family may have one.
    throw errors.find(({ code }) => code !== 'ENODATA') ?? errors[0];
  }
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, RESOLUTION_DELAY_MS))]);
  const records = found.flat();
  return {
    addresses: records.map(({ address }) => address),
    ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1000,
  };
}

function inHosts(name: string, file: string): string[] {
  const wanted = name.replace(/\.$/, '').toLowerCase();
  const addresses = linesOf(file).flatMap((line) => {
    const [address = '', ...names] = line.split(/\s+/);
    return isIP(address) !== 0 && names.some((one) => one.toLowerCase() === wanted) ? [address] : [];
  });
  return addresses.sort((a, b) => isIP(a) - isIP(b));
}

interface ResolvConf {
  readonly servers: readonly string[];
  /** The names to ask for, in order: one with fewer dots than `ndots` is tried in the search domains first. */
  readonly searched: readonly string[];
}

/** resolv.conf(5). c-ares reads the file too, but knows search domains only in calls that Node does not make. */
function readResolvConf(name: string, file: string): ResolvConf {
  const servers: string[] = [];
  let domains: readonly string[] = [];
  let minDots = 1;
  for (const line of linesOf(file)) {
    const [keyword, ...values] = line.split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0]);
    if (keyword === 'search' || keyword === 'domain') domains = values;
    const ndots = keyword === 'options' ? values.find((value) => value.startsWith('ndots:')) : undefined;
    if (ndots !== undefined) minDots = Number(ndots.slice('ndots:'.length));
  }
  if (name.endsWith('.')) return { servers, searched: [name] };
  const inDomains = domains.map((domain) => `${name}.${domain.replace(/\.$/, '')}`);
  const isFirst = name.split('.').length > minDots;
  return { servers, searched: isFirst ? [name, ...inDomains] : [...inDomains, name] };
}

/** Without comments; none if the file cannot be read. */
function linesOf(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.replace(/[#;].*/, '').trim()).filter((line) => line !== '');
  } catch {
    return [];
  }
}
