/**
 * Reads the records that an application sends (FastCGI 1.0 §3.3) from bytes that arrive in any pieces. Pure: it owns no bytes, and no
 * content has to be in one piece, that of the end of a request excepted, which it keeps itself.
 */
import { HEADER_LENGTH, REQUEST_ID, RecordType, VERSION } from './records.ts';

export const Piece = {
  /** All bytes have been read. */
  needMore: 0,
  /** Output, [start, end) of the bytes. */
  stdout: 1,
  /** A message for people, likewise. */
  stderr: 2,
  /** The request has ended, with `protocolStatus`. */
  end: 3,
  /** These are no records of a responder. */
  invalid: 4,
} as const;
export type PieceValue = (typeof Piece)[keyof typeof Piece];

const END_LENGTH = 8;

export class RecordReader {
  /** Index after the last byte that was read. */
  position = 0;
  start = 0;
  end = 0;
  protocolStatus = 0;
  readonly #header = new Uint8Array(HEADER_LENGTH);
  #headerLength = 0;
  #type = 0;
  #isOfConnection = false;
  #contentLeft = 0;
  #paddingLeft = 0;
  /** Of the content of the record that ends a request. */
  #endSeen = 0;

  /** Reads bytes[from, end) up to the next piece. */
  read(bytes: Uint8Array, from: number, end: number): PieceValue {
    let at = from;
    for (;;) {
      if (this.#headerLength < HEADER_LENGTH) {
        while (at < end && this.#headerLength < HEADER_LENGTH)
          this.#header[this.#headerLength++] = bytes[at++] as number;
        if (this.#headerLength < HEADER_LENGTH) return this.#at(at, Piece.needMore);
        if (!this.#takeHeader()) return this.#at(at, Piece.invalid);
      }
      if (this.#contentLeft > 0) {
        if (at === end) return this.#at(at, Piece.needMore);
        const to = Math.min(end, at + this.#contentLeft);
        this.#contentLeft -= to - at;
        this.start = at;
        this.end = to;
        at = to;
        if (this.#isOfConnection) continue;
        if (this.#type !== RecordType.endRequest)
          return this.#at(at, this.#type === RecordType.stdout ? Piece.stdout : Piece.stderr);
        for (let i = this.start; i < to; i++, this.#endSeen++)
          if (this.#endSeen === 4) this.protocolStatus = bytes[i] as number;
        continue;
      }
      const padding = Math.min(end - at, this.#paddingLeft);
      this.#paddingLeft -= padding;
      at += padding;
      if (this.#paddingLeft > 0) return this.#at(at, Piece.needMore);
      this.#headerLength = 0;
      if (this.#type === RecordType.endRequest && !this.#isOfConnection) return this.#at(at, Piece.end);
    }
  }

  #takeHeader(): boolean {
    const [version, type = 0, idHigh = 0, idLow = 0, high = 0, low = 0, padding = 0] = this.#header;
    const id = idHigh * 256 + idLow;
    this.#type = type;
    this.#contentLeft = high * 256 + low;
    this.#paddingLeft = padding;
    this.#endSeen = 0;
    // Messages about the connection mean nothing to us (§4.2), and nobody has asked for any.
    this.#isOfConnection = id === 0;
    if (version !== VERSION || (id !== 0 && id !== REQUEST_ID)) return false;
    if (this.#isOfConnection) return true;
    if (type === RecordType.endRequest) return this.#contentLeft === END_LENGTH;
    return type === RecordType.stdout || type === RecordType.stderr;
  }

  #at(position: number, piece: PieceValue): PieceValue {
    this.position = position;
    return piece;
  }
}
