/** What an executable says of itself (`--version --json`) against what it was made from. Pure. */
import type { BuildFacts } from '../../scripts/smoke/session.ts';

/** Each names the thing, the rule and the value. */
export function identityFaults(wanted: BuildFacts & { readonly name?: string }, printed: string): string[] {
  let says: Record<string, unknown>;
  try {
    says = JSON.parse(printed) as Record<string, unknown>;
  } catch {
    return [`--version --json must print JSON, got ${JSON.stringify(printed.slice(0, 200))}`];
  }
  const { node } = (says['versions'] ?? {}) as { node?: unknown };
  const got: Record<string, unknown> = { ...says, node };
  return Object.entries(wanted)
    .filter(([name, value]) => got[name] !== value)
    .map(([name, value]) => `--version --json must say ${name} ${value}, got ${got[name] ?? 'nothing'}`);
}
