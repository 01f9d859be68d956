/**
 * Cloudflare's Origin CA: certificates that only Cloudflare trusts, for servers behind it. One request for each certificate
 * (https://developers.cloudflare.com/api/resources/origin_ca_certificates/).
 */
import { ask } from './ask.ts';
import type { KeyPair } from './self-signed.ts';
import { keyPem, makeKey, makeRequest, pem } from './write-certificate.ts';

export interface CloudflareOptions {
  /** With the permission "Zone: SSL and Certificates: Edit". */
  readonly apiToken: string;
  /** Such as https://api.cloudflare.com/client/v4. */
  readonly apiUrl: string;
  /** The nearest of those that Cloudflare has is taken. */
  readonly validityDays: number;
  readonly signal?: AbortSignal | undefined;
}

interface Issued {
  readonly success?: boolean;
  readonly errors?: readonly { readonly code?: number; readonly message?: string }[];
  readonly result?: { readonly certificate?: string } | null;
}

const VALIDITIES = [7, 30, 90, 365, 730, 1095, 5475];

export async function obtainFromCloudflare(hostnames: readonly string[], options: CloudflareOptions): Promise<KeyPair> {
  const { apiToken, apiUrl, validityDays, signal } = options;
  const key = makeKey();
  const wanted = {
    csr: pem('CERTIFICATE REQUEST', makeRequest(hostnames, key)),
    hostnames,
    request_type: 'origin-ecc',
    requested_validity: nearest(validityDays),
  };
  const told = await ask({
    method: 'POST',
    url: `${apiUrl.replace(/\/$/, '')}/certificates`,
    fields: { Authorization: `Bearer ${apiToken}`, 'Content-Type': 'application/json' },
    content: JSON.stringify(wanted),
    signal,
  });
  const certificate = parse(told.content).result?.certificate;
  if (told.status === 200 && certificate !== undefined) return { cert: certificate, key: keyPem(key) };
  throw new Error(`Cloudflare's Origin CA answered ${told.status}: ${reasonOf(parse(told.content))}`);
}

function parse(content: string): Issued {
  try {
    return JSON.parse(content) as Issued;
  } catch {
    return {};
  }
}

function reasonOf({ errors = [] }: Issued): string {
  const reasons = errors.map(
    ({ code, message }) => `${message ?? 'no reason'}${code === undefined ? '' : ` (${code})`}`,
  );
  return reasons.join('; ') || 'no reason';
}

function nearest(days: number): number {
  return VALIDITIES.reduce((best, one) => (Math.abs(one - days) < Math.abs(best - days) ? one : best));
}
