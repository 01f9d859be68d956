/** The opening handshake (RFC 6455 §4.2): from a request to the fields of a 101, or to a refusal. Owns nothing. */
import { hash } from 'node:crypto';
import { type DeflateAgreement, type DeflateOptions, negotiateDeflate } from './deflate-negotiation.ts';

/** What the handshake asks of a request; an engine's call has it. */
export interface HandshakeRequest {
  readonly method: string;
  readonly version: string;
  /** Any case; repeated fields joined with ", " (RFC 9110 §5.3). */
  header(name: string): string | null;
}

export interface HandshakeOptions {
  /** The chosen protocol; sent only if the client has offered it. */
  readonly protocol?: string | undefined;
  readonly deflate: DeflateOptions | null;
}

type Field = readonly [name: string, value: string];

export interface Accepted {
  readonly status: 101;
  readonly fields: readonly Field[];
  /** '' if none was chosen. */
  readonly protocol: string;
  readonly deflate: DeflateAgreement | null;
}

export interface Refused {
  readonly status: 400 | 426;
  readonly fields: readonly Field[];
  /** The content of the response, for the client's developer. */
  readonly reason: string;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64 (§4.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSION_13: Field = ['Sec-WebSocket-Version', '13'];

export function acceptKey(key: string): string {
  return hash('sha1', key + GUID, 'base64');
}

/** Whether a request asks for a WebSocket, validly or not. */
export function asksForWebSocket(request: HandshakeRequest): boolean {
  return hasToken(request.header('upgrade'), 'websocket');
}

export function handshake(request: HandshakeRequest, options: HandshakeOptions): Accepted | Refused {
  if (!asksForWebSocket(request) || !hasToken(request.header('connection'), 'upgrade')) {
    const fields: Field[] = [['Upgrade', 'websocket'], ['Connection', 'Upgrade'], VERSION_13];
    return { status: 426, fields, reason: 'This resource speaks WebSocket only.' };
  }
  if (request.method !== 'GET') return refused(`The method must be GET, got ${request.method}.`);
  if (request.version === '1.0') return refused('The version must be HTTP/1.1, got HTTP/1.0.');
  if (request.header('sec-websocket-version')?.trim() !== '13') {
    return {
      status: 426,
      fields: [['Upgrade', 'websocket'], ['Connection', 'Upgrade'], VERSION_13],
      reason: 'Sec-WebSocket-Version must be 13.',
    };
  }
  const key = request.header('sec-websocket-key')?.trim() ?? '';
  if (!KEY.test(key)) return refused('Sec-WebSocket-Key must be 16 bytes in base64.');
  const deflate = negotiateDeflate(request.header('sec-websocket-extensions'), options.deflate);
  if (deflate === 'malformed') return refused('Sec-WebSocket-Extensions is malformed.');
  const offered = request.header('sec-websocket-protocol');
  const chosen = options.protocol;
  const protocol = chosen !== undefined && offeredProtocols(offered).includes(chosen) ? chosen : '';
  const fields: Field[] = [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptKey(key)],
  ];
  if (protocol !== '') fields.push(['Sec-WebSocket-Protocol', protocol]);
  if (deflate !== null) fields.push(['Sec-WebSocket-Extensions', deflate.field]);
  return { status: 101, fields, protocol, deflate };
}

/** The protocols that the client offers, in its order of preference. */
export function offeredProtocols(field: string | null): string[] {
  if (field === null) return [];
  return field
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The first offered protocol that is among `supported`. */
export function chooseProtocol(field: string | null, supported: readonly string[]): string | undefined {
  return offeredProtocols(field).find((name) => supported.includes(name));
}

function hasToken(field: string | null, token: string): boolean {
  if (field === null) return false;
  return field.split(',').some((part) => part.trim().toLowerCase() === token);
}

function refused(reason: string): Refused {
  return { status: 400, fields: [], reason };
}
