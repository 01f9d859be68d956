/** What vrypt-server must do before it may be released, beyond what its description asks of it. */
import type { Checks } from '../../scripts/smoke/checks.ts';
import { answerChecks } from './answer-checks.ts';
import { endChecks } from './end-checks.ts';
import { lifeChecks } from './life-checks.ts';
import { optionChecks } from './option-checks.ts';

export const checks: Checks = {
  asked: answerChecks,
  alone: [...lifeChecks, ...optionChecks],
  last: endChecks,
};
