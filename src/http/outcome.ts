/** What every parser here returns: it needs more bytes, it has read its part, it refuses, or it has come to content. */
export const Outcome = { needMore: 0, complete: 1, refused: 2, content: 3 } as const;
export type OutcomeValue = (typeof Outcome)[keyof typeof Outcome];
