/** Requests of ACME are signed (RFC 8555 §6.2): JSON web signatures with ES256 (RFC 7515, RFC 7518 §3.4), and key thumbprints. */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** Who signs: the account by its URL, or before there is one, its key. */
export type Signer = { readonly kid: string } | { readonly jwk: Jwk };

export interface Jwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** `payload` null: POST-as-GET (§6.3). */
export function signRequest(key: KeyObject, signer: Signer, nonce: string, url: string, payload: unknown): string {
  const protectedPart = base64url(JSON.stringify({ alg: 'ES256', ...signer, nonce, url }));
  const payloadPart = payload === null ? '' : base64url(JSON.stringify(payload));
  const signature = sign('sha256', Buffer.from(`${protectedPart}.${payloadPart}`, 'latin1'), {
    key,
    dsaEncoding: 'ieee-p1363',
  }).toString('base64url');
  return JSON.stringify({ protected: protectedPart, payload: payloadPart, signature });
}

/** Members in the order of RFC 7638 §3.2. */
export function jwkOf(key: KeyObject): Jwk {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { crv, kty, x, y };
}

/** What proves that a challenge is answered by the account (RFC 8555 §8.1). */
export function keyAuthorization(token: string, key: KeyObject): string {
  return `${token}.${sha256(JSON.stringify(jwkOf(key))).toString('base64url')}`;
}

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}
