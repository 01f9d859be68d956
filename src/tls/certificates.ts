/** The certificates of a server by the name that a client asks for, ready for handshakes. Can be replaced while it serves. */
import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClientHello } from '../engine/client-hello.ts';
import type { TlsChoice } from '../engine/tls-transport.ts';
import type { LoadedCertificate } from './load-certificate.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface TlsPolicy {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list for TLS 1.2; null: what every client of the last ten years knows, forward secret and authenticated. */
  readonly ciphers: string | null;
  /** By ALPN, in order of preference. */
  readonly protocols: readonly string[];
}

/** What another source of certificates has for a handshake, or null. */
export type SpecialChoice = (hello: ClientHello) => TlsChoice | null;

/** With it all of RFC 9113 §9.2.2 is obeyed. */
const TLS_12_CIPHERS = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
const TLS_13_CIPHERS = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const SESSION_SECONDS = 2 * 60 * 60;

interface Entry {
  readonly certificate: LoadedCertificate;
  readonly choice: TlsChoice;
}

export class Certificates {
  readonly #policy: TlsPolicy;
  readonly #tickets: TicketKeys;
  readonly #special: SpecialChoice | null;
  #loaded: readonly LoadedCertificate[];
  /** The keys that the contexts have. */
  #ticketKeys: Buffer;
  #byName: ReadonlyMap<string, Entry>;
  #first: Entry;

  /** The first certificate serves clients that name no host, or an unknown one. Throws for one that OpenSSL does not take. */
  constructor(
    loaded: readonly LoadedCertificate[],
    policy: TlsPolicy,
    tickets: TicketKeys,
    special: SpecialChoice | null = null,
  ) {
    this.#policy = policy;
    this.#tickets = tickets;
    this.#special = special;
    this.#loaded = loaded;
    this.#ticketKeys = tickets.at();
    const made = this.#make(loaded);
    this.#byName = made.byName;
    this.#first = made.first;
  }

  get loaded(): readonly LoadedCertificate[] {
    return this.#loaded;
  }

  /** From the next handshake on. Throws, and changes nothing, for one that OpenSSL does not take. */
  replace(loaded: readonly LoadedCertificate[]): void {
    const made = this.#make(loaded);
    this.#loaded = loaded;
    this.#byName = made.byName;
    this.#first = made.first;
  }

  /** For a handshake. */
  readonly choose = (hello: ClientHello): TlsChoice => {
    const special = this.#special?.(hello) ?? null;
    if (special !== null) return special;
    const keys = this.#tickets.at();
    if (keys !== this.#ticketKeys) {
      this.#ticketKeys = keys;
      this.replace(this.#loaded);
    }
    return this.#entryOf(hello.serverName).choice;
  };

  /** In lower case; null: the client named none. */
  certificateFor(serverName: string | null): LoadedCertificate {
    return this.#entryOf(serverName).certificate;
  }

  #entryOf(serverName: string | null): Entry {
    if (serverName === null) return this.#first;
    const exact = this.#byName.get(serverName);
    if (exact !== undefined) return exact;
    // A wildcard stands for one label (RFC 6125 §6.4.3).
    const dot = serverName.indexOf('.');
    return (dot < 0 ? undefined : this.#byName.get(`*${serverName.slice(dot)}`)) ?? this.#first;
  }

  #make(loaded: readonly LoadedCertificate[]): { byName: Map<string, Entry>; first: Entry } {
    const byName = new Map<string, Entry>();
    let first: Entry | null = null;
    for (const certificate of loaded) {
      const { protocols } = this.#policy;
      const choice = { context: makeContext(certificate, this.#policy, this.#ticketKeys), protocols };
      const entry = { certificate, choice };
      first ??= entry;
      // The first one wins, as for clients without a name.
      for (const host of certificate.hosts) if (!byName.has(host)) byName.set(host, entry);
    }
    if (first === null) throw new TypeError('a server with TLS must have at least one certificate');
    return { byName, first };
  }
}

/** OpenSSL's settings for one certificate. */
export function makeContext(
  { cert, key }: Pick<LoadedCertificate, 'cert' | 'key'>,
  policy: Pick<TlsPolicy, 'minVersion' | 'ciphers'>,
  ticketKeys: Buffer,
): SecureContext {
  return createSecureContext({
    cert,
    key,
    minVersion: policy.minVersion,
    ciphers: [...TLS_13_CIPHERS, policy.ciphers ?? TLS_12_CIPHERS.join(':')].join(':'),
    // All of these are strong: what the client is fastest with is best.
    honorCipherOrder: false,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    // A session of one certificate is not resumed with another (RFC 6066 §3).
    sessionIdContext: createHash('sha256').update(cert).digest('hex').slice(0, 32),
    sessionTimeout: SESSION_SECONDS,
    ticketKeys,
  });
}
