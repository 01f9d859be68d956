/** Makes keys, certificates signed by themselves (RFC 5280), and requests for certificates (RFC 2986), without OpenSSL's program. */
import { Buffer } from 'node:buffer';
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import {
  bitString,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  TRUE,
  tagged,
  time,
  utf8String,
} from './der.ts';

export interface CertificateOptions {
  /** DNS names, `*.` included, and IP addresses; the first is the common name. */
  readonly names: readonly string[];
  readonly key: KeyObject;
  readonly from: Date;
  readonly to: Date;
  /** Further extensions in DER. */
  readonly extensions?: readonly Buffer[];
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const COMMON_NAME = objectIdentifier('2.5.4.3');
const BASIC_CONSTRAINTS = objectIdentifier('2.5.29.19');
const KEY_USAGE = objectIdentifier('2.5.29.15');
const EXTENDED_KEY_USAGE = objectIdentifier('2.5.29.37');
const SUBJECT_ALT_NAME = objectIdentifier('2.5.29.17');
const SERVER_AUTH = objectIdentifier('1.3.6.1.5.5.7.3.1');
const EXTENSION_REQUEST = objectIdentifier('1.2.840.113549.1.9.14');
/** A common name is limited (RFC 5280 appendix A.1, ub-common-name). */
const MAX_COMMON_NAME = 64;
const VERSION_3 = 2;

/** A P-256 key: what every client knows, and cheap for the server. */
export function makeKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** Signed by its own key, which must be one of `makeKey`; in PEM. */
export function selfSign({ names, key, from, to, extensions = [] }: CertificateOptions): string {
  const name = distinguishedName(names);
  const serial = randomBytes(16);
  // Positive, and of full length.
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  const body = sequence(
    tagged(0, integer(VERSION_3)),
    integer(serial),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(from), time(to)),
    name,
    publicKeyOf(key),
    tagged(3, sequence(...usage(), alternativeNames(names), ...extensions)),
  );
  return pem('CERTIFICATE', signed(body, key));
}

/** A request for a certificate for these names; in DER. */
export function makeRequest(names: readonly string[], key: KeyObject): Buffer {
  const wanted = sequence(EXTENSION_REQUEST, set(sequence(alternativeNames(names))));
  return signed(sequence(integer(0), distinguishedName(names), publicKeyOf(key), tagged(0, wanted)), key);
}

export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function extension(id: Buffer, isCritical: boolean, value: Buffer): Buffer {
  return isCritical ? sequence(id, TRUE, octetString(value)) : sequence(id, octetString(value));
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sequence(body, ECDSA_WITH_SHA256, bitString(sign('sha256', body, key)));
}

function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function distinguishedName(names: readonly string[]): Buffer {
  const common = names.find((name) => name.length <= MAX_COMMON_NAME);
  return common === undefined ? sequence() : sequence(set(sequence(COMMON_NAME, utf8String(common))));
}

/** For the key of a server that is no authority. */
function usage(): Buffer[] {
  const digitalSignature = bitString(Buffer.of(0x80), 7);
  return [
    extension(BASIC_CONSTRAINTS, true, sequence()),
    extension(KEY_USAGE, true, digitalSignature),
    extension(EXTENDED_KEY_USAGE, false, sequence(SERVER_AUTH)),
  ];
}

function alternativeNames(names: readonly string[]): Buffer {
  const general = names.map((name) =>
    isIP(name) === 0 ? implicit(2, Buffer.from(name, 'latin1')) : implicit(7, addressBytes(name)),
  );
  return extension(SUBJECT_ALT_NAME, false, sequence(...general));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [left = '', right] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const start = groups(left);
  const end = right === undefined ? [] : groups(right);
  const bytes = Buffer.alloc(16);
  start.forEach((group, at) => void bytes.writeUInt16BE(group, 2 * at));
  end.forEach((group, at) => void bytes.writeUInt16BE(group, 16 - 2 * (end.length - at)));
  return bytes;
}
