/** Gets a certificate from an ACME server (RFC 8555 §7.4): order, proof of every name, request, download. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import path from 'node:path';
import { type ChallengePlaces, type ChallengeType, prove } from './acme-challenges.ts';
import { sha256 } from './acme-jws.ts';
import { AcmeError, AcmeSession, describe, parse } from './acme-session.ts';
import { readSecret, writeSecret } from './secret-files.ts';
import type { KeyPair } from './self-signed.ts';
import { keyPem, makeKey, makeRequest } from './write-certificate.ts';

export interface AcmeOptions extends ChallengePlaces {
  readonly directoryUrl: string;
  readonly email: string | null;
  readonly challenge: ChallengeType;
  /** PEM of the authorities of the server's own certificate; null: Node's. */
  readonly ca: string | null;
  readonly signal?: AbortSignal | undefined;
}

interface Order {
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly error?: object;
}

interface Authorization {
  readonly status: string;
  readonly identifier: { readonly value: string };
  readonly challenges: readonly OfferedChallenge[];
}

interface OfferedChallenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly error?: object;
}

/** For these DNS names, `*.` included, which only dns-01 can prove. */
export async function obtainByAcme(domains: readonly string[], options: AcmeOptions): Promise<KeyPair> {
  const { challenge, directoryUrl, ca, email, signal } = options;
  const wildcard = domains.find((domain) => domain.startsWith('*.'));
  if (wildcard !== undefined && challenge !== 'dns-01') {
    throw new AcmeError('wildcard', `${wildcard} can be proven by dns-01 only (RFC 8555 §7.1.3), got ${challenge}`);
  }
  const accountKey = accountKeyOf(options);
  const session = await AcmeSession.open({ directoryUrl, ca, email, accountKey, signal });
  const identifiers = domains.map((value) => ({ type: 'dns', value }));
  const told = await session.post(session.newOrderUrl, { identifiers });
  const orderUrl = told.field('location') ?? '';
  const order = parse<Order>(told, session.newOrderUrl);
  // One after the other: a DNS name and its wildcard are proven by the same record.
  for (const url of order.authorizations) await authorize(session, url, accountKey, options);
  const ready = await session.whileStatus<Order>(orderUrl, ['pending']);
  if (ready.status !== 'ready' && ready.status !== 'valid') throw failed(`the order of ${domains.join(', ')}`, ready);
  const key = makeKey();
  await session.post(order.finalize, { csr: makeRequest(domains, key).toString('base64url') });
  const done = await session.whileStatus<Order>(orderUrl, ['ready', 'processing']);
  if (done.certificate === undefined) throw failed(`the order of ${domains.join(', ')}`, done);
  const { content } = await session.post(done.certificate, null);
  return { cert: content, key: keyPem(key) };
}

async function authorize(
  session: AcmeSession,
  url: string,
  accountKey: KeyObject,
  options: AcmeOptions,
): Promise<void> {
  const authorization = await session.read<Authorization>(url);
  // A proof counts for a while.
  if (authorization.status === 'valid') return;
  const domain = authorization.identifier.value;
  const { challenge: type } = options;
  const offered = authorization.challenges.find((one) => one.type === type);
  if (offered === undefined) {
    const types = authorization.challenges.map((one) => one.type).join(', ');
    throw new AcmeError('challenge', `${domain} can be proven by ${types}, not by ${type}`);
  }
  const withdraw = await prove({ type, domain, token: offered.token, accountKey }, options);
  try {
    await session.post(offered.url, {});
    const settled = await session.whileStatus<Authorization>(url, ['pending', 'processing']);
    if (settled.status === 'valid') return;
    const refused = settled.challenges.find((one) => one.type === type);
    throw failed(`the ${type} proof of ${domain}`, { status: settled.status, error: refused?.error });
  } finally {
    await withdraw();
  }
}

function failed(
  what: string,
  { status, error }: { readonly status: string; readonly error?: object | undefined },
): AcmeError {
  return new AcmeError(status, `${what} is ${status}: ${describe(error ?? {})}`);
}

/** One account for each server, kept. */
function accountKeyOf({ directory, directoryUrl }: AcmeOptions): KeyObject {
  const name = sha256(directoryUrl).toString('hex').slice(0, 16);
  const file = path.join(directory, 'accounts', `${name}.pem`);
  const known = readSecret(file);
  if (known !== null) return createPrivateKey(known);
  const key = makeKey();
  writeSecret(file, keyPem(key));
  return key;
}
