/** Entity tags (RFC 9110 §8.8.3): syntax, lists, comparison. A tag is a string as it appears on the wire, quotes and `W/` included. */

/** Whether the whole of `text` is one entity tag. */
export function isEntityTag(text: string): boolean {
  return endOfEntityTag(text, 0) === text.length;
}

/** Strong comparison: equal, and both strong (RFC 9110 §8.8.3.2). */
export function matchesStrongly(one: string, other: string): boolean {
  return one === other && !one.startsWith('W/');
}

/** Weak comparison: equal apart from `W/` (RFC 9110 §8.8.3.2). */
export function matchesWeakly(one: string, other: string): boolean {
  if (one === other) return true;
  const from = one.startsWith('W/') ? 2 : 0;
  const otherFrom = other.startsWith('W/') ? 2 : 0;
  return one.length - from === other.length - otherFrom && one.endsWith(other.slice(otherFrom));
}

/**
 * Whether the list in If-Match or If-None-Match contains `tag`. Stops at the first element that is not a tag: if a quote is
 * missing, nothing after it can be trusted.
 */
export function listHasTag(list: string, tag: string, matches: (one: string, other: string) => boolean): boolean {
  let at = 0;
  while (at < list.length) {
    const code = list.charCodeAt(at);
    // Empty elements are ignored (RFC 9110 §5.6.1.2).
    if (code === 0x20 || code === 0x09 || code === 0x2c) {
      at++;
      continue;
    }
    const end = endOfEntityTag(list, at);
    if (end < 0) return false;
    if (matches(list.slice(at, end), tag)) return true;
    at = end;
    while (list[at] === ' ' || list[at] === '\t') at++;
    if (at < list.length && list[at] !== ',') return false;
  }
  return false;
}

/** Makes a tag weak, for content that is only equivalent, not identical (RFC 9110 §8.8.1). */
export function weaken(tag: string): string {
  return tag.startsWith('W/') ? tag : `W/${tag}`;
}

/** The index after the tag that starts at `at`, or -1. etagc is %x21, %x23-7E and obs-text. */
function endOfEntityTag(text: string, at: number): number {
  let i = text.startsWith('W/', at) ? at + 2 : at;
  if (text[i] !== '"') return -1;
  for (i++; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i + 1;
    if (code < 0x21 || code === 0x7f) return -1;
  }
  return -1;
}
