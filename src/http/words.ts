/** Words of the request line that mean something to the framing: three methods, and the version that nearly everybody speaks. */

export const Method = { other: 0, head: 1, options: 2, connect: 3 } as const;
export type MethodValue = (typeof Method)[keyof typeof Method];

export function methodOf(bytes: Uint8Array, start: number, end: number): MethodValue {
  switch (end - start) {
    case 4:
      return isWord(bytes, start, 'HEAD') ? Method.head : Method.other;
    case 7:
      if (isWord(bytes, start, 'OPTIONS')) return Method.options;
      return isWord(bytes, start, 'CONNECT') ? Method.connect : Method.other;
    default:
      return Method.other;
  }
}

/** Methods are case-sensitive (RFC 9110 §9.1). */
function isWord(bytes: Uint8Array, start: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    if (bytes[start + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}

/** "HTTP/1.0" or "HTTP/1.1" at `i`. */
export function isVersionOne(bytes: Uint8Array, i: number): boolean {
  return (
    bytes[i] === 0x48 &&
    bytes[i + 1] === 0x54 &&
    bytes[i + 2] === 0x54 &&
    bytes[i + 3] === 0x50 &&
    bytes[i + 4] === 0x2f &&
    bytes[i + 5] === 0x31 &&
    bytes[i + 6] === 0x2e &&
    ((bytes[i + 7] as number) | 1) === 0x31
  );
}
