/** What an executable says of itself (`--version --json`) against what it was made from. Pure. */

export interface Identity {
  readonly name?: string;
  readonly version: string;
  readonly commit: string;
  /** The triple. */
  readonly target: string;
  /** SHA-256 of its Node. */
  readonly runtime: string;
  /** The version of its Node. */
  readonly node: string;
}

/** Each names the thing, the rule and the value. */
export function identityFaults(wanted: Identity, printed: string): string[] {
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
