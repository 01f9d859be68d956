/** A certificate with its chain and key, checked before it is used: what clients would refuse is found here. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** PEM text or bytes. */
export type Pem = string | Uint8Array;

export interface CertificateSource {
  /** The server's certificate, then those that lead to its root, in this order. */
  readonly cert: Pem;
  readonly key: Pem;
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined;
  /** Server names that get it, `*.` included. Default: those in the certificate. */
  readonly hosts?: readonly string[] | undefined;
}

export interface LoadedCertificate {
  readonly cert: string;
  /** Not encrypted. */
  readonly key: string;
  /** In lower case. */
  readonly hosts: readonly string[];
  /** In milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
  /** What clients will not like, in words. */
  readonly warnings: readonly string[];
}

/** A certificate or key that cannot be used; the message names it. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const DAY_MS = 86_400_000;
const SOON_DAYS = 7;

/** Throws a CertificateError. `label` says which one is meant: the option, or the file. */
export function loadCertificate(source: CertificateSource, label: string, now = Date.now()): LoadedCertificate {
  const chain = readChain(textOf(source.cert), label);
  const key = readKey(source, label);
  const leaf = chain[0] as X509Certificate;
  if (!leaf.checkPrivateKey(key)) {
    const at = chain.findIndex((one) => one.checkPrivateKey(key));
    throw new CertificateError(
      at > 0
        ? `${label}: the server's certificate must come first, it is number ${at + 1} (${nameOf(chain[at])})`
        : `${label}: the key must belong to the certificate of ${nameOf(leaf)}, it is another one`,
    );
  }
  checkOrder(chain, label);
  const validFrom = Date.parse(leaf.validFrom);
  const validTo = Date.parse(leaf.validTo);
  return {
    cert: chain.map((one) => one.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    hosts: (source.hosts ?? namesIn(leaf)).map((host) => host.toLowerCase()),
    validFrom,
    validTo,
    warnings: warningsOf(label, leaf, { validFrom, validTo }, now),
  };
}

/** DNS names and IP addresses that it is for. */
export function namesIn(certificate: X509Certificate): string[] {
  const names: string[] = [];
  for (const entry of (certificate.subjectAltName ?? '').split(', ')) {
    const [, kind, name = ''] = /^(DNS|IP Address):(.*)$/.exec(entry) ?? [];
    if (kind !== undefined) names.push(name);
  }
  return names;
}

function textOf(pem: Pem): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1');
}

function readChain(text: string, label: string): X509Certificate[] {
  const blocks = text.match(BLOCK);
  if (blocks === null) {
    throw new CertificateError(
      `${label}: the certificate must be PEM (-----BEGIN CERTIFICATE-----), got ${kindOf(text)}`,
    );
  }
  return blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new CertificateError(`${label}: certificate number ${at + 1} cannot be read`);
    }
  });
}

function readKey({ key, passphrase }: CertificateSource, label: string): KeyObject {
  const text = textOf(key);
  try {
    return createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
  } catch {
    const isEncrypted = /ENCRYPTED/.test(text);
    const problem = isEncrypted
      ? passphrase === undefined
        ? 'the key is encrypted: a passphrase must be given'
        : 'the passphrase does not open the key'
      : `the key must be a private key in PEM, got ${kindOf(text)}`;
    throw new CertificateError(`${label}: ${problem}`);
  }
}

/** What a file holds instead. Never its content, which may be secret. */
function kindOf(text: string): string {
  if (text.trim() === '') return 'nothing';
  return /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1]?.toLowerCase() ?? 'something else';
}

/** Each is issued by the next; clients do not look further. */
function checkOrder(chain: readonly X509Certificate[], label: string): void {
  for (let at = 0; at + 1 < chain.length; at++) {
    const one = chain[at] as X509Certificate;
    const next = chain[at + 1] as X509Certificate;
    if (one.checkIssued(next) && one.verify(next.publicKey)) continue;
    throw new CertificateError(
      `${label}: each certificate must be followed by its issuer: number ${at + 1} (${nameOf(one)}) was not issued by number ${at + 2} (${nameOf(next)})`,
    );
  }
}

function warningsOf(
  label: string,
  leaf: X509Certificate,
  { validFrom, validTo }: Pick<LoadedCertificate, 'validFrom' | 'validTo'>,
  now: number,
): string[] {
  const name = nameOf(leaf);
  if (now > validTo)
    return [`${label}: the certificate of ${name} expired on ${dayOf(validTo)}: clients will refuse it`];
  if (now < validFrom) {
    return [
      `${label}: the certificate of ${name} is valid from ${dayOf(validFrom)}: clients will refuse it until then`,
    ];
  }
  const days = Math.floor((validTo - now) / DAY_MS);
  return days < SOON_DAYS ? [`${label}: the certificate of ${name} expires on ${dayOf(validTo)}`] : [];
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function nameOf(certificate: X509Certificate | undefined): string {
  if (certificate === undefined) return '';
  return namesIn(certificate)[0] ?? certificate.subject.split('\n').at(-1) ?? 'nobody';
}
