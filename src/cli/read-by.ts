/** A typed value read by its rule, or a UsageError that says what the rule is. */
import type { Rule } from '../rules/rules.ts';
import { UsageError } from './usage-error.ts';

/** Throws a UsageError if `text` breaks the rule; `label` is what the person typed or set, such as "--port". */
export function readBy<Value>(rule: Rule<Value>, label: string, text: string, hint = ''): Value {
  const value = rule.read(text);
  if (value !== undefined) return value;
  throw new UsageError(`${label} must be ${rule.requirement}, got ${JSON.stringify(text)}${hint}`);
}
