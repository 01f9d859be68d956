/** What every parser here returns: it needs more bytes, has read its part, refuses, or has reached content. */
export const Outcome = { needMore: 0, complete: 1, refused: 2, content: 3 } as const;
export type OutcomeValue = (typeof Outcome)[keyof typeof Outcome];
