/** Records of FastCGI 1.0 (§3.3, §8): their types, their headers, and what a responder is sent. Pure. */
import type { Buffer } from 'node:buffer';

export const VERSION = 1;
export const HEADER_LENGTH = 8;
/** Content of one record: its length has two bytes. */
export const MAX_CONTENT = 0xffff;
/** One request at a time on a connection; 0 is for messages about the connection. */
export const REQUEST_ID = 1;

export const RecordType = {
  beginRequest: 1,
  endRequest: 3,
  params: 4,
  stdin: 5,
  stdout: 6,
  stderr: 7,
} as const;
export type RecordTypeValue = (typeof RecordType)[keyof typeof RecordType];

const ROLE_RESPONDER = 1;
const FLAG_KEEP_CONNECTION = 1;

/** `protocolStatus` of the record that ends a request (§5.5). */
export const EndStatus = { complete: 0, cannotMultiplex: 1, overloaded: 2, unknownRole: 3 } as const;

/** Writes the header of a record without padding; returns the index behind it. */
export function putHeader(out: Buffer, at: number, type: RecordTypeValue, contentLength: number): number {
  out[at] = VERSION;
  out[at + 1] = type;
  out.writeUInt16BE(REQUEST_ID, at + 2);
  out.writeUInt16BE(contentLength, at + 4);
  out.writeUInt16BE(0, at + 6);
  return at + HEADER_LENGTH;
}

export const BEGIN_LENGTH: number = HEADER_LENGTH + 8;

/** Writes the record that begins a request (§5.1); returns the index behind it. */
export function putBegin(out: Buffer, at: number, keepsConnection: boolean): number {
  const content = putHeader(out, at, RecordType.beginRequest, 8);
  out.fill(0, content, content + 8);
  out.writeUInt16BE(ROLE_RESPONDER, content);
  out[content + 2] = keepsConnection ? FLAG_KEEP_CONNECTION : 0;
  return content + 8;
}
