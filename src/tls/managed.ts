/**
 * The certificates of a web server as its configuration wants them: from files, from an authority that issues them, or, until there
 * is one, of our own. One process keeps them up (`CertificateManager`); every worker loads them from the same files.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type ChallengeType, httpProof, tlsProof } from './acme-challenges.ts';
import { makeContext } from './certificates.ts';
import { CertificateKeeper, presentIn } from './keeper.ts';
import type { LoadedCertificate } from './load-certificate.ts';
import type { TlsCertificate } from './options.ts';
import { writeSecret } from './secret-files.ts';
import { LOCALHOST, makeSelfSigned } from './self-signed.ts';
import { ServerTls } from './server-tls.ts';
import { TicketKeys, type TicketSecret } from './ticket-keys.ts';

/** Times in milliseconds. */
export interface ManagedTlsConfig {
  /** From files; the first serves clients without SNI or with an unknown name. */
  readonly certificates: readonly CertificateFiles[];
  /** Where missing certificates come from. */
  readonly automatic: AcmeConfig | CloudflareConfig | null;
  /** Names of automatic certificates, wildcards included. */
  readonly domains: readonly string[];
  /** Makes one of our own, with a warning, while there is no other. */
  readonly selfSigned: boolean;
  /** Where issued certificates, their keys (0600) and the account key are kept. */
  readonly directory: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's list for TLS 1.2; null: Node's. */
  readonly ciphers: string | null;
  /** Offers h2 by ALPN. */
  readonly http2: boolean;
  /** Ticket keys are replaced after this long. */
  readonly ticketRotationMs: number;
}

export interface CertificateFiles {
  /** PEM, leaf first. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Names it is for; empty: those in the certificate. */
  readonly hosts: readonly string[];
}

export interface AcmeConfig {
  readonly kind: 'acme';
  /** URL of the directory (RFC 8555 §7.1.1). */
  readonly directoryUrl: string;
  readonly email: string | null;
  readonly challenge: ChallengeType;
  /** For dns-01: a program that is called as `hook add|remove _acme-challenge.name value`. */
  readonly dnsHook: string | null;
  /** CAs that the ACME server's own certificate may come from; null: those that Node.js carries. */
  readonly caFile: string | null;
  readonly renewBeforeMs: number;
}

/** Origin CA certificates by Cloudflare's API. */
export interface CloudflareConfig {
  readonly kind: 'cloudflare';
  readonly apiUrl: string;
  readonly validityDays: number;
  readonly renewBeforeMs: number;
}

export interface ManagerOptions {
  readonly config: ManagedTlsConfig;
  /** Of Cloudflare; null without it. */
  readonly apiToken: string | null;
  /** Warnings and failures, as sentences. */
  readonly warn: (message: string) => void;
  /** A certificate has been issued, and is in place. */
  readonly onRenewed?: (certificate: LoadedCertificate) => void;
}

/** In one process of a server. Owns what renews certificates: ended by close(). */
export class CertificateManager {
  readonly #options: ManagerOptions;
  #keeper: CertificateKeeper | null = null;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  /** Before workers start: sees to it that there is a certificate. Throws if there is none and none may be made. */
  prepare(): void {
    const { config, warn } = this.#options;
    if (config.certificates.length > 0 || presentIn(issuedFile(config)) !== null) return;
    if (!config.selfSigned) throw new Error('there is no certificate: tls must name one, or get one from an authority');
    const names = ownNames(config);
    const file = selfSignedFile(config);
    if (!isUsable(presentIn(file), names)) {
      const { cert, key } = makeSelfSigned(names);
      writeSecret(file, key + cert);
    }
    const reason = config.automatic === null ? 'there is no other' : 'until there is another';
    warn(`the certificate is one of our own, ${reason}: clients do not trust it (${file})`);
  }

  /** Once the workers listen, because authorities ask them. */
  start(): void {
    const { config, apiToken, warn } = this.#options;
    const { automatic, domains } = config;
    if (automatic === null) return;
    this.#keeper = new CertificateKeeper({
      file: issuedFile(config),
      domains,
      renewBeforeMs: automatic.renewBeforeMs,
      report: warn,
      ...(this.#options.onRenewed === undefined ? {} : { onRenewed: this.#options.onRenewed }),
      obtain: async (names, signal) => {
        if (automatic.kind === 'cloudflare') {
          const { obtainFromCloudflare } = await import('./cloudflare.ts');
          return obtainFromCloudflare(names, { ...automatic, apiToken: apiToken ?? '', signal });
        }
        const { obtainByAcme } = await import('./acme-obtain.ts');
        const ca = automatic.caFile === null ? null : readFileSync(automatic.caFile, 'latin1');
        return obtainByAcme(names, { ...automatic, ca, directory: config.directory, signal });
      },
    });
    this.#keeper.start();
  }

  close(): void {
    this.#keeper?.close();
  }
}

/** In every worker. The answer to GET of an ACME challenge; null: the path is another. */
export function challengeAnswer({ automatic, directory }: ManagedTlsConfig, urlPath: string): string | null {
  return automatic?.kind === 'acme' && automatic.challenge === 'http-01' ? httpProof(directory, urlPath) : null;
}

/** In every worker: what `openSecure` needs. Throws a CertificateError. */
export function openManagedTls(
  config: ManagedTlsConfig,
  ticketSecret: TicketSecret,
  report: (error: unknown) => void,
): ServerTls {
  const { automatic, minVersion, ciphers, ticketRotationMs } = config;
  const isAskedByTls = automatic?.kind === 'acme' && automatic.challenge === 'tls-alpn-01';
  const proofTickets = new TicketKeys(ticketSecret, ticketRotationMs);
  const policy = { minVersion, ciphers };
  return new ServerTls({
    tls: { minVersion, ticketRotationMs, ...(ciphers === null ? {} : { ciphers }) },
    shared: { ticketSecret, selfSigned: null },
    http2: config.http2,
    report,
    listing: { current: () => currentFiles(config), watched: [issuedFile(config), selfSignedFile(config)] },
    special: isAskedByTls
      ? tlsProof(config.directory, (cert, key) => makeContext({ cert, key }, policy, proofTickets.at()))
      : null,
  });
}

function currentFiles(config: ManagedTlsConfig): TlsCertificate[] {
  const named: TlsCertificate[] = config.certificates.map(({ certFile, keyFile, hosts }) => ({
    certFile,
    keyFile,
    ...(hosts.length === 0 ? {} : { hosts }),
  }));
  const issued = issuedFile(config);
  if (presentIn(issued) !== null) return [...named, { certFile: issued, keyFile: issued }];
  const own = selfSignedFile(config);
  return named.length > 0 ? named : [{ certFile: own, keyFile: own }];
}

function issuedFile({ directory }: ManagedTlsConfig): string {
  return path.join(directory, 'issued.pem');
}

function selfSignedFile({ directory }: ManagedTlsConfig): string {
  return path.join(directory, 'self-signed.pem');
}

function ownNames({ domains }: ManagedTlsConfig): readonly string[] {
  return domains.length > 0 ? [...domains, ...LOCALHOST] : LOCALHOST;
}

function isUsable(present: LoadedCertificate | null, names: readonly string[]): boolean {
  return present !== null && present.validTo > Date.now() && names.every((name) => present.hosts.includes(name));
}
