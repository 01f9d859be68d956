/**
 * Finds the client behind proxies (`trustProxy`) from X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239). Believes only
 * trusted proxies: it reads addresses from the right and stops at the first that is not trusted.
 */
import { NetworkList, parseAddress } from './addresses.ts';
import { endOfQuoted, trimOws, unquote } from './field-syntax.ts';

export type TrustProxy = false | 'loopback' | readonly string[];

const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1'];
/** Longer chains are not real. */
const MAX_HOPS = 64;

/** The origin of a request. */
export interface ForwardedClient {
  readonly address: string;
  /** The client's port, if a trusted proxy reported it. */
  readonly port: number | null;
  /** Null: no trusted proxy reported it. */
  readonly proto: 'http' | 'https' | null;
  /** With its port, as in Host. Null: no trusted proxy reported it. */
  readonly host: string | null;
}

interface Hop {
  readonly address: string;
  readonly port: number | null;
  readonly proto: string | null;
  readonly host: string | null;
}

export class TrustedProxies {
  readonly #networks: NetworkList;
  readonly #trustsUnix: boolean;

  /** Throws a RangeError for anything but a network. A list may also contain `'loopback'`. */
  constructor(trust: Exclude<TrustProxy, false>) {
    const list = typeof trust === 'string' ? [trust] : trust;
    this.#trustsUnix = list.includes('loopback');
    this.#networks = new NetworkList(list.flatMap((network) => (network === 'loopback' ? LOOPBACK : [network])));
  }

  /** A Unix socket has the address '' and is trusted with loopback. */
  isTrusted(address: string): boolean {
    return address === '' ? this.#trustsUnix : this.#networks.has(address);
  }

  /** `peer` is the address of the connection. */
  clientOf(peer: string, header: (name: string) => string | null): ForwardedClient {
    const direct: ForwardedClient = { address: peer, port: null, proto: null, host: null };
    if (!this.isTrusted(peer)) return direct;
    // Most proxies write X-Forwarded-For and pass on any Forwarded that the client made up, so the former has priority.
    const forwardedFor = header('x-forwarded-for');
    if (forwardedFor !== null) return this.#walk(direct, hopsOfLists(forwardedFor, header));
    const forwarded = header('forwarded');
    if (forwarded !== null) return this.#walk(direct, hopsOfForwarded(forwarded));
    return {
      ...direct,
      proto: protoOf(lastOf(header('x-forwarded-proto'))),
      host: hostOf(lastOf(header('x-forwarded-host'))),
    };
  }

  /** From the nearest hop outwards; each hop was reported by the one before. */
  #walk(direct: ForwardedClient, hops: readonly Hop[]): ForwardedClient {
    let client = direct;
    for (let i = hops.length - 1; i >= 0; i--) {
      const hop = hops[i] as Hop;
      const proto = protoOf(hop.proto) ?? client.proto;
      const host = hostOf(hop.host) ?? client.host;
      // "unknown" and "_hidden" are not addresses: keep the last known one.
      if (parseAddress(hop.address) === null) return { ...client, proto, host };
      client = { address: hop.address, port: hop.port, proto, host };
      if (!this.isTrusted(hop.address)) break;
    }
    return client;
  }
}

/** Combines the X-Forwarded-* lists. In a list of a different length only the last element can be assigned to a hop. */
function hopsOfLists(forwardedFor: string, header: (name: string) => string | null): Hop[] {
  const nodes = elementsOf(forwardedFor);
  const protos = elementsOf(header('x-forwarded-proto') ?? '');
  const hosts = elementsOf(header('x-forwarded-host') ?? '');
  return nodes.map((node, i) => ({ ...addressAndPort(node), proto: beside(protos, i), host: beside(hosts, i) }));

  function beside(list: readonly string[], i: number): string | null {
    if (list.length === nodes.length) return list[i] as string;
    return i === nodes.length - 1 ? (list.at(-1) ?? null) : null;
  }
}

function elementsOf(list: string): string[] {
  const elements = list.split(',').map(trimOws);
  return elements.filter((element) => element !== '').slice(-MAX_HOPS);
}

function lastOf(list: string | null): string | null {
  return list === null ? null : (elementsOf(list).at(-1) ?? null);
}

/** Parses `for=192.0.2.60;proto=http, for="[2001:db8::1]:4711"`. A malformed element discards everything to its left. */
function hopsOfForwarded(field: string): Hop[] {
  let hops: Hop[] = [];
  let pairs = new Map<string, string>();
  let at = 0;
  let isBroken = false;
  while (at <= field.length) {
    const end = endOfPair(field, at);
    const pair = trimOws(field.slice(at, end));
    const equals = pair.indexOf('=');
    if (equals > 0) {
      const name = pair.slice(0, equals).toLowerCase();
      const value = pair.slice(equals + 1);
      if (pairs.has(name)) isBroken = true;
      pairs.set(name, value.startsWith('"') && value.length > 1 ? unquote(value.slice(1, -1)) : value);
    } else if (pair !== '') isBroken = true;
    if (end === field.length || field[end] === ',') {
      if (isBroken) hops = [];
      else if (pairs.size > 0) hops.push(hopOf(pairs));
      pairs = new Map();
      isBroken = false;
    }
    at = end + 1;
  }
  return hops.slice(-MAX_HOPS);
}

function hopOf(pairs: ReadonlyMap<string, string>): Hop {
  return {
    ...addressAndPort(pairs.get('for') ?? ''),
    proto: pairs.get('proto') ?? null,
    host: pairs.get('host') ?? null,
  };
}

/** The next "," or ";" outside quotes, or the end. */
function endOfPair(field: string, at: number): number {
  for (let i = at; i < field.length; i++) {
    const char = field[i];
    if (char === ',' || char === ';') return i;
    if (char === '"') {
      const end = endOfQuoted(field, i);
      if (end < 0) return field.length;
      i = end - 1;
    }
  }
  return field.length;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`. */
function addressAndPort(node: string): { address: string; port: number | null } {
  if (node.startsWith('[')) {
    const close = node.indexOf(']');
    return { address: node.slice(1, close < 0 ? 1 : close), port: portOf(node.slice(close + 1)) };
  }
  const colon = node.indexOf(':');
  if (colon < 0 || node.indexOf(':', colon + 1) >= 0) return { address: node, port: null };
  return { address: node.slice(0, colon), port: portOf(node.slice(colon)) };
}

function portOf(text: string): number | null {
  if (!/^:[0-9]{1,5}$/.test(text)) return null;
  const port = Number(text.slice(1));
  return port <= 65535 ? port : null;
}

function protoOf(text: string | null): 'http' | 'https' | null {
  const proto = text?.toLowerCase();
  return proto === 'http' || proto === 'https' ? proto : null;
}

/** uri-host [ ":" port ] without userinfo or escapes, so that it is safe in links. */
function hostOf(text: string | null): string | null {
  if (text === null || text.length > 255) return null;
  return /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/.test(text) ? text : null;
}
