/**
 * What every product must do before it may be released, as sentences. A check throws when its sentence is not true. Owns
 * nothing.
 */
import { answerChecks } from './answer-checks.ts';
import { endChecks } from './end-checks.ts';
import { lifeChecks } from './life-checks.ts';
import { optionChecks } from './option-checks.ts';
import type { Session } from './session.ts';

export interface Check {
  readonly sentence: string;
  /** Why an emulator is not asked. */
  readonly onlyNatively?: string;
  readonly run: (session: Session) => Promise<void>;
}

export interface Checks {
  /** One after the other, of the session's server. */
  readonly asked: readonly Check[];
  /** Side by side; each starts what it needs. */
  readonly alone: readonly Check[];
  /** The session's server ends. */
  readonly last: readonly Check[];
}

export const checks: Checks = {
  asked: answerChecks,
  alone: [...lifeChecks, ...optionChecks],
  last: endChecks,
};

export function checksFor({ isEmulated }: { readonly isEmulated: boolean }): Checks {
  const chosen = (list: readonly Check[]): Check[] =>
    list.filter((check) => !isEmulated || check.onlyNatively === undefined);
  return { asked: chosen(checks.asked), alone: chosen(checks.alone), last: chosen(checks.last) };
}

export function countOf({ asked, alone, last }: Checks): number {
  // And that it writes no files.
  return asked.length + alone.length + last.length + 1;
}
