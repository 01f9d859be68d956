/** What Connection names besides the usual: fields that go no further (RFC 9110 §7.6.1). */
import { COMMA, equalsIgnoringCase, HTAB, SP } from '../http/byte-classes.ts';

/** Options that are no fields, or whose fields are never copied anyway. */
const USUAL: readonly string[] = ['close', 'keep-alive', 'upgrade', 'te'];

export class ConnectionOptions {
  /** In lower case; null: none. */
  names: string[] | null = null;
  hasUpgrade = false;

  reset(): void {
    this.names = null;
    this.hasUpgrade = false;
  }

  /** Reads the value bytes[start, end). */
  take(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      while (i < end && isSpace(bytes[i] as number)) i++;
      const from = i;
      while (i < end && bytes[i] !== COMMA) i++;
      let to = i;
      while (to > from && isSpace(bytes[to - 1] as number)) to--;
      if (to > from) this.#takeOne(bytes, from, to);
    }
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    const { names } = this;
    if (names === null) return false;
    for (const name of names) if (equalsIgnoringCase(bytes, start, end, name)) return true;
    return false;
  }

  #takeOne(bytes: Uint8Array, start: number, end: number): void {
    for (const usual of USUAL) {
      if (!equalsIgnoringCase(bytes, start, end, usual)) continue;
      if (usual === 'upgrade') this.hasUpgrade = true;
      return;
    }
    this.names ??= [];
    let name = '';
    for (let i = start; i < end; i++) name += String.fromCharCode(bytes[i] as number);
    this.names.push(name.toLowerCase());
  }
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
