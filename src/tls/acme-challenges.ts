/**
 * Ways to prove that a name is ours (RFC 8555 §8, RFC 8737). What the validator must find is put into files, where every worker of
 * every process finds it; for DNS, a program of the operator's puts it where it belongs.
 */
import type { KeyObject } from 'node:crypto';
import path from 'node:path';
import type { SecureContext } from 'node:tls';
import type { ClientHello } from '../engine/client-hello.ts';
import type { TlsChoice } from '../engine/tls-transport.ts';
import { keyAuthorization, sha256 } from './acme-jws.ts';
import type { SpecialChoice } from './certificates.ts';
import { objectIdentifier, octetString } from './der.ts';
import { readSecret, removeSecret, writeSecret } from './secret-files.ts';
import { extension, keyPem, makeKey, selfSign } from './write-certificate.ts';

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01';

export interface Challenge {
  readonly type: ChallengeType;
  /** Without `*.`. */
  readonly domain: string;
  readonly token: string;
  readonly accountKey: KeyObject;
}

export interface ChallengePlaces {
  readonly directory: string;
  /** Called as `hook add|remove _acme-challenge.name value`; returns when the record is, or is no longer, served. */
  readonly dnsHook: string | null;
}

/** RFC 8737 §6.2. */
export const ACME_TLS_PROTOCOL = 'acme-tls/1';
const HTTP_PREFIX = '/.well-known/acme-challenge/';
/** base64url (RFC 8555 §8.3): also what makes it a file name. */
const TOKEN = /^[A-Za-z0-9_-]{1,200}$/;
const DOMAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;
const ACME_IDENTIFIER = objectIdentifier('1.3.6.1.5.5.7.1.31');
const HOOK_TIMEOUT_MS = 300_000;
const DAY_MS = 86_400_000;

/** Puts the proof in place; resolves with what takes it away again. */
export async function prove(challenge: Challenge, places: ChallengePlaces): Promise<() => Promise<void>> {
  const { type, domain, token, accountKey } = challenge;
  const authorization = keyAuthorization(token, accountKey);
  if (type === 'dns-01') return proveByDns(domain, authorization, places);
  const file = type === 'http-01' ? httpFile(places.directory, token) : tlsFile(places.directory, domain);
  if (file === null) throw new Error(`${type} of ${domain} has no file name`);
  writeSecret(file, type === 'http-01' ? authorization : proofCertificate(domain, authorization));
  return async () => removeSecret(file);
}

/** What GET of this path must be answered with, as text; null: it is no path of a challenge under way. */
export function httpProof(directory: string, urlPath: string): string | null {
  if (!urlPath.startsWith(HTTP_PREFIX)) return null;
  const file = httpFile(directory, urlPath.slice(HTTP_PREFIX.length));
  return file === null ? null : readSecret(file);
}

/** For handshakes of validators; `makeContext` from PEM. */
export function tlsProof(directory: string, makeContext: (cert: string, key: string) => SecureContext): SpecialChoice {
  return ({ protocols, serverName }: ClientHello): TlsChoice | null => {
    if (!protocols.includes(ACME_TLS_PROTOCOL) || serverName === null) return null;
    const file = tlsFile(directory, serverName);
    const pair = file === null ? null : readSecret(file);
    return pair === null ? null : { context: makeContext(pair, pair), protocols: [ACME_TLS_PROTOCOL] };
  };
}

function httpFile(directory: string, token: string): string | null {
  return TOKEN.test(token) ? path.join(directory, 'challenges', 'http-01', token) : null;
}

function tlsFile(directory: string, domain: string): string | null {
  return DOMAIN.test(domain) ? path.join(directory, 'challenges', 'tls-alpn-01', `${domain}.pem`) : null;
}

/** RFC 8737 §3. */
function proofCertificate(domain: string, authorization: string): string {
  const key = makeKey();
  const now = Date.now();
  const proof = extension(ACME_IDENTIFIER, true, octetString(sha256(authorization)));
  const cert = selfSign({
    names: [domain],
    key,
    from: new Date(now - DAY_MS),
    to: new Date(now + 7 * DAY_MS),
    extensions: [proof],
  });
  return keyPem(key) + cert;
}

async function proveByDns(
  domain: string,
  authorization: string,
  { dnsHook }: ChallengePlaces,
): Promise<() => Promise<void>> {
  if (dnsHook === null) throw new Error('dns-01 must have a hook that sets the record');
  const args = [`_acme-challenge.${domain}`, sha256(authorization).toString('base64url')];
  await runHook(dnsHook, ['add', ...args]);
  return () => runHook(dnsHook, ['remove', ...args]);
}

async function runHook(hook: string, args: readonly string[]): Promise<void> {
  // Not imported: the bundle has no such module for what never starts a process.
  const { execFile } = process.getBuiltinModule('node:child_process');
  await new Promise<void>((resolve, reject) => {
    execFile(hook, args, { timeout: HOOK_TIMEOUT_MS }, (error, _out, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${hook} ${args.join(' ')} failed: ${stderr.trim() || error.message}`));
    });
  });
}
