/** TLS of one worker of a web server, by its configuration. Replaced as a whole when there is a new one. Owns its certificates. */
import type { ChooseTls } from '../engine/tls-transport.ts';
import type { Tls } from '../tls/options.ts';
import { LOCALHOST } from '../tls/self-signed.ts';
import { ServerTls, type SharedTls, shareTls } from '../tls/server-tls.ts';
import { makeTicketSecret } from '../tls/ticket-keys.ts';
import type { TlsConfig } from './config/tls-config.ts';

/** For all workers; `before`: so that sessions of clients stay valid. */
export function shareWebTls(config: TlsConfig, before: SharedTls | null): SharedTls {
  const isForSame = before?.selfSigned != null && config.certificates.length === 0;
  if (isForSame) return before;
  return shareTls(optionsOf(config), before?.ticketSecret ?? makeTicketSecret());
}

/** What to tell a person about the certificates, or null. */
export function warningOf({ certificates, selfSigned, automatic }: TlsConfig): string | null {
  if (certificates.length > 0 || !selfSigned) return null;
  const reason = automatic === null ? 'there is no certificate' : 'certificates are not yet there';
  return `${reason}: one of our own is used, which clients do not trust`;
}

export class WebTls {
  #current: ServerTls;

  /** Throws a CertificateError that names the file. */
  constructor(config: TlsConfig, shared: SharedTls, report: (error: unknown) => void) {
    this.#current = open(config, shared, report);
  }

  readonly choose: ChooseTls = (hello) => this.#current.choose(hello);

  /** Throws, and changes nothing, if it cannot. */
  take(config: TlsConfig, shared: SharedTls, report: (error: unknown) => void): void {
    const next = open(config, shared, report);
    this.#current.close();
    this.#current = next;
  }

  close(): void {
    this.#current.close();
  }
}

function open(config: TlsConfig, shared: SharedTls, report: (error: unknown) => void): ServerTls {
  return new ServerTls({ tls: optionsOf(config), shared, http2: config.http2, report });
}

function optionsOf(config: TlsConfig): Tls {
  const { certificates, selfSigned, domains, minVersion, ciphers, ticketRotationMs } = config;
  return {
    certificates: certificates.map(({ certFile, keyFile, hosts }) => ({
      certFile,
      keyFile,
      ...(hosts.length === 0 ? {} : { hosts }),
    })),
    selfSigned: certificates.length === 0 && selfSigned ? [...domains, ...LOCALHOST] : false,
    minVersion,
    ticketRotationMs,
    ...(ciphers === null ? {} : { ciphers }),
  };
}
