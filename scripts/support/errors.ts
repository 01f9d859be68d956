/**
 * The two ways in which a command ends badly. The class alone decides the exit code.
 */

/** The request makes no sense: exit code 2, one line. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** The request did not succeed: exit code 1. The message names the thing, the rule and the value; `cause` has the detail. */
export class Failure extends Error {
  override name = 'Failure';
}

/** Anything else that is thrown is a bug of ours and keeps its stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof UsageError || isOfSystem(error)) return error.message;
  if (!(error instanceof Failure)) return error.stack ?? error.message;
  return error.cause === undefined ? error.message : `${error.message}\n${explain(error.cause)}`;
}

/** No room, a read-only disk, a missing file or program: the message names the call and the path, and a stack says no more. */
function isOfSystem(error: NodeJS.ErrnoException): boolean {
  return error.code !== undefined && error.syscall !== undefined;
}
