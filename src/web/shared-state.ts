/** What the workers of a web server share: made by the first, sent to all. */

export interface SharedState {
  /** How many workers there are to be, which share what the configuration allows in total. */
  readonly workers: number;
}

export function makeSharedState(workers: number): SharedState {
  return { workers };
}
