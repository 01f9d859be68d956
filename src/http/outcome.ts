/** The contract of every parser here: it needs more octets, it has read its part, or it refuses. */
export const Outcome = { needMore: 0, complete: 1, refused: 2 } as const;
export type OutcomeValue = (typeof Outcome)[keyof typeof Outcome];
