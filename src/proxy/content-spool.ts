/**
 * Content of a request whose length must be known before it can be sent: kept until all of it has come. A little in memory, more in
 * a file without a name in the system's folder for such files. Owns both.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keepPiece } from '../engine/pieces.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { RequestWriter } from './request-writer.ts';

/** More than this goes to disk. */
const IN_MEMORY = 256 * 1024;
const PIECE = 64 * 1024;

export class ContentSpool {
  /** Bytes put so far. */
  length = 0;
  #pieces: Buffer[] = [];
  #waiting = 0;
  /** Owned: closed in close(). -1: all of it is in memory. */
  #descriptor = -1;
  #written = 0;
  #read = 0;

  /** Copies bytes[start, end). Throws what the system says if there is no room. */
  put(bytes: Buffer, start: number, end: number): void {
    keepPiece(this.#pieces, bytes, start, end);
    this.#waiting += end - start;
    this.length += end - start;
    if (this.#waiting > IN_MEMORY) this.#write();
  }

  /** Puts as much as may wait for the upstream into `request`. True: that was all of it. Throws what the system says. */
  feed(request: OutgoingRequest, writer: RequestWriter): boolean {
    while (request.hasRoom) {
      const piece = this.#next();
      if (piece === null) {
        writer.putEnd(request, '', this.length);
        request.isComplete = true;
        return true;
      }
      writer.putContent(request, piece, 0, piece.length, this.length);
    }
    return false;
  }

  close(): void {
    this.#pieces = [];
    this.#written = 0;
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #next(): Buffer | null {
    if (this.#read < this.#written) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, this.#written - this.#read));
      const count = readSync(this.#descriptor, piece, 0, piece.length, this.#read);
      if (count === 0) throw new Error('a file of ours has become shorter');
      this.#read += count;
      return piece.subarray(0, count);
    }
    return this.#pieces.shift() ?? null;
  }

  #write(): void {
    if (this.#descriptor < 0) this.#descriptor = openNameless();
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#waiting = 0;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    this.#written += bytes.length;
  }
}

/** Nobody else can open it, and it is gone with its descriptor. */
function openNameless(): number {
  const file = path.join(tmpdir(), `vrypt-server-${randomBytes(12).toString('hex')}`);
  const descriptor = openSync(file, 'wx+', 0o600);
  unlinkSync(file);
  return descriptor;
}
