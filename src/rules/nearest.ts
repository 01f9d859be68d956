/** Which of some words may have been meant by one that is spelled wrong. */

/** Letters that are missing, too many or wrong; two that are swapped count twice. */
const MOST_SLIPS = 2;

/** The nearest word, or undefined if none is near. */
export function nearest(text: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.min(MOST_SLIPS, Math.ceil(text.length / 2)) + 1;
  for (const word of words) {
    const slips = distance(word, text);
    if (slips >= fewest) continue;
    best = word;
    fewest = slips;
  }
  return best;
}

/** For the end of a message; empty if nothing is near. */
export function didYouMean(text: string, words: readonly string[]): string {
  const meant = nearest(text, words);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** Levenshtein's. */
function distance(one: string, two: string): number {
  let row = Array.from({ length: two.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (let j = 0; j < two.length; j++) {
      const replaced = (row[j] as number) + (letter === two[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[two.length] as number;
}
