/** What was typed is wrong. The message names the thing, the rule and the value; exit code 2 follows. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
