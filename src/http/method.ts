/** The methods that change how a message is framed or a target is read. Every other token is a method too. */

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
