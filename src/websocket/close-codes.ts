/** Close codes (RFC 6455 §7.4) and what a close frame may carry. */
import { Buffer } from 'node:buffer';

export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  /** The close frame had no code. Never sent. */
  none: 1005,
  /** The connection ended without a close frame. Never sent. */
  abnormal: 1006,
  invalidPayload: 1007,
  tooBig: 1009,
  internalError: 1011,
} as const;

/** A control frame holds 125 bytes; the code takes two of them (RFC 6455 §5.5). */
export const MAX_REASON_BYTES = 123;

/** Codes allowed in a close frame: those that RFC 6455 and IANA define for it, and 3000 to 4999 (§7.4.2). */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

/** The payload of a close frame. A reason that is too long is cut at a character. */
export function closePayload(code: number, reason: string): Buffer {
  if (code === CloseCode.none) return Buffer.alloc(0);
  const payload = Buffer.allocUnsafe(2 + MAX_REASON_BYTES);
  payload.writeUInt16BE(code, 0);
  // Buffer.write never writes part of a character.
  const length = payload.write(reason, 2, MAX_REASON_BYTES, 'utf8');
  return payload.subarray(0, 2 + length);
}
