/** What a product must do before it may be released, as sentences. A check throws when its sentence is not true. */
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

export function chosen({ asked, alone, last }: Checks, isEmulated: boolean): Checks {
  const some = (list: readonly Check[]): Check[] =>
    list.filter((check) => !isEmulated || check.onlyNatively === undefined);
  return { asked: some(asked), alone: some(alone), last: some(last) };
}

export function countOf({ asked, alone, last }: Checks): number {
  return asked.length + alone.length + last.length;
}
