/**
 * What a TLS client says first (RFC 8446 §4.1.2): the server's name and the protocols it offers, read before there is a TLS
 * object. So the certificate is chosen without a detour through OpenSSL's callbacks, a client that sends nothing costs no more
 * than on a plain port, and one that speaks plain HTTP can be told so. Pure: bytes in, a value out.
 */
import { Buffer } from 'node:buffer';

export interface ClientHello {
  /** In lower case; null if the client named none. */
  readonly serverName: string | null;
  /** Offered by ALPN (RFC 7301), in the client's order. */
  readonly protocols: readonly string[];
}

/** What the first bytes of a connection are; anything but a ClientHello is OpenSSL's to refuse. */
export const FirstBytes = { needMore: 0, hello: 1, plain: 2, other: 3 } as const;
export type FirstBytesValue = (typeof FirstBytes)[keyof typeof FirstBytes];

/** Beyond this nobody waits for the rest: with post-quantum keys a ClientHello has 2 KiB. */
export const MAX_HELLO_BYTES = 16 * 1024;

const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const ALPN = 16;
const NOTHING: ClientHello = { serverName: null, protocols: [] };

export function firstBytesAre(bytes: Buffer): FirstBytesValue {
  const first = bytes[0];
  if (first === undefined) return FirstBytes.needMore;
  // A method of HTTP: a capital letter.
  if (first >= 0x41 && first <= 0x5a) return FirstBytes.plain;
  const length = messageLength(bytes);
  if (length < 0)
    return length === INCOMPLETE && bytes.length < MAX_HELLO_BYTES ? FirstBytes.needMore : FirstBytes.other;
  return FirstBytes.hello;
}

/** Of bytes that are `FirstBytes.hello`; of a malformed message, what could be read. */
export function readClientHello(bytes: Buffer): ClientHello {
  const length = messageLength(bytes);
  if (length < 0) return NOTHING;
  const reader = new Reader(unitedRecords(bytes, MESSAGE_HEADER + length));
  // Version and random, session id, cipher suites, compression methods.
  if (!(reader.skip(MESSAGE_HEADER + 34) && reader.skipVector(1) && reader.skipVector(2) && reader.skipVector(1))) {
    return NOTHING;
  }
  reader.skip(2);
  let serverName: string | null = null;
  let protocols: readonly string[] = [];
  for (;;) {
    const type = reader.number(2);
    const extension = reader.vector(2);
    if (type < 0 || extension === null) return { serverName, protocols };
    if (type === SERVER_NAME) serverName = nameIn(new Reader(extension));
    else if (type === ALPN) protocols = protocolsIn(new Reader(extension));
  }
}

const INCOMPLETE = -1;
const NOT_A_HELLO = -2;

/** The length of the message in these records, or why there is none. */
function messageLength(bytes: Buffer): number {
  let collected = 0;
  let length = Number.POSITIVE_INFINITY;
  const header = [0, 0, 0, 0];
  for (let at = 0; ; ) {
    if (at >= bytes.length) return INCOMPLETE;
    if (bytes[at] !== HANDSHAKE || (at + 1 < bytes.length && bytes[at + 1] !== 3)) return NOT_A_HELLO;
    if (at + RECORD_HEADER > bytes.length) return INCOMPLETE;
    const size = bytes.readUInt16BE(at + 3);
    if (size === 0) return NOT_A_HELLO;
    const start = at + RECORD_HEADER;
    const end = Math.min(start + size, bytes.length);
    for (let i = start; i < end && collected + i - start < MESSAGE_HEADER; i++) {
      header[collected + i - start] = bytes[i] as number;
    }
    collected += end - start;
    if (collected > 0 && header[0] !== CLIENT_HELLO) return NOT_A_HELLO;
    if (collected >= MESSAGE_HEADER) {
      length = ((header[1] as number) << 16) | ((header[2] as number) << 8) | (header[3] as number);
      if (length > MAX_HELLO_BYTES) return NOT_A_HELLO;
    }
    if (collected >= MESSAGE_HEADER + length) return length;
    at = start + size;
  }
}

/** The message without the headers of its records. */
function unitedRecords(bytes: Buffer, length: number): Buffer {
  const size = bytes.readUInt16BE(3);
  if (size >= length) return bytes.subarray(RECORD_HEADER, RECORD_HEADER + length);
  const pieces: Buffer[] = [];
  let missing = length;
  for (let at = 0; missing > 0; ) {
    const start = at + RECORD_HEADER;
    const end = start + Math.min(bytes.readUInt16BE(at + 3), missing);
    pieces.push(bytes.subarray(start, end));
    missing -= end - start;
    at = end;
  }
  return Buffer.concat(pieces);
}

/** RFC 6066 §3. */
function nameIn(list: Reader): string | null {
  list.skip(2);
  const type = list.number(1);
  const name = list.vector(2);
  return type === HOST_NAME && name !== null && name.length > 0 ? name.toString('latin1').toLowerCase() : null;
}

function protocolsIn(list: Reader): string[] {
  const protocols: string[] = [];
  list.skip(2);
  for (let name = list.vector(1); name !== null; name = list.vector(1)) protocols.push(name.toString('latin1'));
  return protocols;
}

/** Reads numbers and vectors (RFC 8446 §3.4) without going beyond the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** -1: there is none. */
  number(size: 1 | 2): number {
    if (this.#at + size > this.#bytes.length) return -1;
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  skip(count: number): boolean {
    this.#at += count;
    return this.#at <= this.#bytes.length;
  }

  /** What follows a length of that many bytes; null if it is not all there. */
  vector(size: 1 | 2): Buffer | null {
    const length = this.number(size);
    if (length < 0 || this.#at + length > this.#bytes.length) return null;
    const vector = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return vector;
  }

  skipVector(size: 1 | 2): boolean {
    return this.vector(size) !== null;
  }
}
