/**
 * How a check says what it found: a sentence that lands in BUILD.json when it holds, and in the error with the finding
 * when it does not.
 */
import type { ProcessOutput } from 'zx';

export type Expect = (sentence: string, holds: boolean, finding: unknown) => void;

/** One JSON line: the names of what worked, and of what did not with the reason. */
export function expectAll({ stdout, stderr, exitCode }: ProcessOutput, sentence: string, expect: Expect): void {
  expect(sentence, exitCode === 0 && stdout.startsWith('{'), `exit code ${exitCode}: ${stdout}${stderr}`);
  if (!stdout.startsWith('{')) return;
  const result: { passed: string[]; failed: Record<string, string> } = JSON.parse(stdout);
  for (const name of result.passed) expect(name, true, '');
  for (const [name, reason] of Object.entries(result.failed)) expect(name, false, reason);
}
