/** Which site answers for a host. */
import type { Call } from '../engine/call.ts';

/** Bounds the memory for hosts as clients write them. */
const MAX_REMEMBERED = 1024;
const MAX_HOST = 255;

export class HostTable<Site> {
  readonly #exact = new Map<string, Site>();
  /** By the part after `*.`. */
  readonly #wildcards = new Map<string, Site>();
  readonly #default: Site | null;
  /** By Host as it was sent. */
  readonly #remembered = new Map<string, Site | null>();
  /** Every host has the same site. */
  readonly #only: Site | null;

  constructor(sites: readonly { readonly hosts: readonly string[]; readonly site: Site }[], defaultSite: Site | null) {
    for (const { hosts, site } of sites) {
      for (const host of hosts) {
        if (host.startsWith('*.')) this.#wildcards.set(host.slice(2), site);
        else this.#exact.set(host, site);
      }
    }
    this.#default = defaultSite;
    const isOnly = defaultSite !== null && sites.every(({ site }) => site === defaultSite);
    this.#only = isOnly ? defaultSite : null;
  }

  /** Null: nobody answers for it (421). */
  find(call: Call): Site | null {
    if (this.#only !== null) return this.#only;
    const authority = authorityOf(call);
    const known = this.#remembered.get(authority);
    if (known !== undefined) return known;
    const site = this.siteOf(hostOf(authority));
    if (authority.length <= MAX_HOST) {
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
      // Copied: the value is a slice of a request's head and would keep all of it in memory.
      this.#remembered.set(Buffer.from(authority, 'latin1').toString('latin1'), site);
    }
    return site;
  }

  siteOf(host: string): Site | null {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const site = this.#wildcards.get(host.slice(dot + 1));
      if (site !== undefined) return site;
    }
    return this.#default;
  }
}

/** As the client wrote it: the authority of an absolute target wins over Host (RFC 9112 §3.2.2). */
export function authorityOf(call: Call): string {
  const { target } = call;
  if (target.charCodeAt(0) !== 0x2f) {
    const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(target) ?? [];
    if (authority !== undefined) return authority;
  }
  return call.header('host') ?? '';
}

/** In lower case, without a port and a dot at its end. */
export function hostOf(authority: string): string {
  const lower = authority.toLowerCase();
  if (lower.startsWith('[')) return lower.slice(1, Math.max(lower.indexOf(']'), 1));
  const colon = lower.indexOf(':');
  const host = colon < 0 ? lower : lower.slice(0, colon);
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** Without one, that of the scheme. */
export function portOf(authority: string, isSecure: boolean): number {
  const [, digits] = /:(\d{1,5})$/.exec(authority) ?? [];
  return digits === undefined ? (isSecure ? 443 : 80) : Number(digits);
}
