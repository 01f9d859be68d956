/**
 * The two ways in which a step ends badly. Whoever runs it decides about the exit code from the class alone.
 */

/** What was asked for makes no sense: exit code 2, one line. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What was asked for did not work out: exit code 1; the message names the thing, the rule and what we got. */
export class Failure extends Error {
  override name = 'Failure';
}

/** Anything else that is thrown is our own bug and keeps its stack. */
export function explain(error: unknown): string {
  if (error instanceof UsageError || error instanceof Failure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
