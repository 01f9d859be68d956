/** Certificates and protocols of TLS listeners, as data. Times in milliseconds. */
import type { Secret } from './secret.ts';

export interface TlsConfig {
  /** From files; the first serves clients without SNI or with an unknown name. */
  readonly certificates: readonly CertificateFiles[];
  /** Where missing certificates come from. */
  readonly automatic: AutomaticCertificates | null;
  /** Names of automatic certificates, wildcards included. */
  readonly domains: readonly string[];
  /** Makes a certificate of our own, with a warning, when there is no other: always true unless the file says no. */
  readonly selfSigned: boolean;
  /** Where issued certificates, their keys (0600) and the account key are kept. */
  readonly directory: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list for TLS 1.2; null: Node's. */
  readonly ciphers: string | null;
  /** Offers h2 by ALPN. */
  readonly http2: boolean;
  /** Ticket keys are replaced after this long; the last one stays valid as long again. */
  readonly ticketRotationMs: number;
}

export interface CertificateFiles {
  /** PEM, leaf first. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Names it is for; empty: those in the certificate. */
  readonly hosts: readonly string[];
}

export type AutomaticCertificates = AcmeConfig | CloudflareConfig;

export interface AcmeConfig {
  readonly kind: 'acme';
  /** URL of the directory (RFC 8555 §7.1.1). */
  readonly directoryUrl: string;
  readonly email: string | null;
  readonly challenge: 'http-01' | 'tls-alpn-01' | 'dns-01';
  /** For dns-01: a program that is called as `hook add|remove _acme-challenge.name value`. */
  readonly dnsHook: string | null;
  /** CAs that the ACME server's own certificate may come from; null: those that Node.js carries. */
  readonly caFile: string | null;
  readonly renewBeforeMs: number;
}

/** Origin CA certificates by Cloudflare's API. */
export interface CloudflareConfig {
  readonly kind: 'cloudflare';
  readonly apiToken: Secret;
  readonly zoneId: string | null;
  readonly apiUrl: string;
  readonly validityDays: number;
  readonly renewBeforeMs: number;
}
