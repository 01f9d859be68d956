/** Writes ASN.1 in DER (X.690): what certificates and requests for them are made of. */
import { Buffer } from 'node:buffer';

const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  generalizedTime: 0x18,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

export const TRUE: Buffer = element(Tag.boolean, Buffer.of(0xff));

export function sequence(...parts: readonly Buffer[]): Buffer {
  return element(Tag.sequence, Buffer.concat(parts));
}

export function set(...parts: readonly Buffer[]): Buffer {
  return element(Tag.set, Buffer.concat(parts));
}

/** Not negative; bytes are big-endian. */
export function integer(value: number | Buffer): Buffer {
  const bytes = typeof value === 'number' ? Buffer.of(value) : value;
  const isSigned = ((bytes[0] as number) & 0x80) !== 0;
  return element(Tag.integer, isSigned ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

/** `unused`: bits at the end that do not count. */
export function bitString(bytes: Buffer, unused = 0): Buffer {
  return element(Tag.bitString, Buffer.concat([Buffer.of(unused), bytes]));
}

export function octetString(bytes: Buffer): Buffer {
  return element(Tag.octetString, bytes);
}

export function utf8String(text: string): Buffer {
  return element(Tag.utf8String, Buffer.from(text, 'utf8'));
}

/** As X.509 wants it (RFC 5280 §4.1.2.5): two digits for the year up to 2049. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  const isShort = date.getUTCFullYear() < 2050;
  return element(
    isShort ? Tag.utcTime : Tag.generalizedTime,
    Buffer.from(isShort ? digits.slice(2) : digits, 'latin1'),
  );
}

/** In dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second];
  for (const number of rest) {
    const digits = [number & 0x7f];
    for (let left = number >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return element(Tag.objectIdentifier, Buffer.from(bytes));
}

/** A context-specific tag around other elements. */
export function tagged(number: number, ...parts: readonly Buffer[]): Buffer {
  return element(CONTEXT | CONSTRUCTED | number, Buffer.concat(parts));
}

/** A context-specific tag instead of the type's own. */
export function implicit(number: number, content: Buffer): Buffer {
  return element(CONTEXT | number, content);
}

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const bytes: number[] = [];
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return Buffer.of(0x80 | bytes.length, ...bytes);
}
