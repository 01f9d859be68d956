/** Finds and blanks C strings in an executable. Pure functions over bytes. */

/** Blanks every C string that is exactly one of `names`; returns how often each was found. */
export function blankNames(executable: Buffer, names: readonly string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of names) {
    const places = cStrings(executable, name);
    for (const at of places) executable[at] = 0;
    found[name] = places.length;
  }
  return found;
}

/** The offsets of all C strings that are exactly `text`. */
export function cStrings(executable: Buffer, text: string): number[] {
  const places: number[] = [];
  // Not with the NUL before it, which a search would stop at everywhere: an executable is full of them.
  const ended = Buffer.from(`${text}\0`, 'latin1');
  for (let at = executable.indexOf(ended); at >= 0; at = executable.indexOf(ended, at + 1)) {
    if (executable[at - 1] === 0 && !isScriptString(executable, at, text.length)) places.push(at);
  }
  return places;
}

/**
 * V8's snapshot and code cache contain strings too, preceded by their length as a 32-bit number, with a hash that would no
 * longer match: those stay. They are property names of `process.env`, which only reads.
 */
function isScriptString(executable: Buffer, at: number, length: number): boolean {
  return at >= 4 && executable.readUInt32LE(at - 4) === length;
}
