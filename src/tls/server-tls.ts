/** TLS of one worker of a server: its certificates, loaded again when their files change. Owns what watches them. */
import type { ChooseTls } from '../engine/tls-transport.ts';
import { filesOf, loadAll, watchFiles } from './certificate-files.ts';
import { Certificates, type SpecialChoice } from './certificates.ts';
import type { Tls, TlsCertificate } from './options.ts';
import { type KeyPair, LOCALHOST, makeSelfSigned } from './self-signed.ts';
import { TicketKeys, type TicketSecret } from './ticket-keys.ts';

export const DEFAULT_TICKET_ROTATION_MS = 12 * 60 * 60 * 1000;

/** What all workers of a server share. Can be sent to them. */
export interface SharedTls {
  readonly ticketSecret: TicketSecret;
  /** null: there are others. */
  readonly selfSigned: KeyPair | null;
}

export interface ServerTlsOptions {
  readonly tls: Tls;
  readonly shared: SharedTls;
  /** Offers h2 by ALPN. */
  readonly http2: boolean;
  /** Told what is wrong with files that have changed, and what clients will not like. */
  readonly report: (error: unknown) => void;
  readonly special?: SpecialChoice | null;
  /** Where certificates come from; by default, from `tls`. */
  readonly listing?: CertificateListing;
}

export interface CertificateListing {
  /** Asked again when a watched file changes. */
  readonly current: () => readonly TlsCertificate[];
  /** Besides those of `current`; they need not exist. */
  readonly watched: readonly string[];
}

/** In the first worker: what the others get too. */
export function shareTls(tls: Tls, ticketSecret: TicketSecret): SharedTls {
  const { selfSigned = false } = tls;
  if (selfSigned === false) return { ticketSecret, selfSigned: null };
  return { ticketSecret, selfSigned: makeSelfSigned(selfSigned === true ? LOCALHOST : selfSigned) };
}

export class ServerTls {
  readonly certificates: Certificates;
  /** Called after files have changed. */
  onReplaced: (() => void) | null = null;
  readonly #report: (error: unknown) => void;
  /** Owned: called in close(). */
  readonly #stopWatching: () => void;

  /** Throws a CertificateError, or a TypeError or RangeError that names the option. */
  constructor({ tls, shared, http2, report, special = null, listing = listingOf(tls) }: ServerTlsOptions) {
    this.#report = report;
    const { selfSigned, ticketSecret } = shared;
    const load = () => [...loadAll(listing.current()), ...(selfSigned === null ? [] : loadAll([selfSigned]))];
    const loaded = load();
    if (loaded.length === 0)
      throw new TypeError('tls must have cert and key, certFile and keyFile, certificates, or selfSigned');
    const policy = {
      minVersion: tls.minVersion ?? 'TLSv1.2',
      ciphers: tls.ciphers ?? null,
      protocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
    };
    const tickets = new TicketKeys(ticketSecret, tls.ticketRotationMs ?? DEFAULT_TICKET_ROTATION_MS);
    this.certificates = new Certificates(loaded, policy, tickets, special);
    this.#warn();
    const files = [...filesOf(listing.current()), ...listing.watched];
    const onChange = () => {
      this.certificates.replace(load());
      this.#warn();
      this.onReplaced?.();
    };
    this.#stopWatching = files.length === 0 ? () => {} : watchFiles({ files, onChange, report });
  }

  get choose(): ChooseTls {
    return this.certificates.choose;
  }

  close(): void {
    this.#stopWatching();
  }

  #warn(): void {
    for (const { warnings } of this.certificates.loaded) for (const warning of warnings) this.#report(warning);
  }
}

function listingOf(tls: Tls): CertificateListing {
  const wanted = certificatesOf(tls);
  return { current: () => wanted, watched: [] };
}

function certificatesOf(tls: Tls): TlsCertificate[] {
  const own = 'cert' in tls || 'certFile' in tls ? [tls as TlsCertificate] : [];
  for (const one of [...own, ...(tls.certificates ?? [])]) {
    const isPair = one.cert !== undefined && one.key !== undefined;
    const isFiles = one.certFile !== undefined && one.keyFile !== undefined;
    if (isPair === isFiles) throw new TypeError('a certificate of tls must have cert and key, or certFile and keyFile');
  }
  return [...own, ...(tls.certificates ?? [])];
}
