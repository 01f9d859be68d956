/** What is wrong with a configuration: where, the rule, and the value. */

export type KeyPath = readonly (string | number)[];

export interface Fault {
  readonly path: KeyPath;
  /** Follows the key: `must be …, got …`. */
  readonly text: string;
}

/** Collects faults, so that a person sees all of them at once. */
export class Faults {
  readonly list: Fault[] = [];

  add(path: KeyPath, text: string): void {
    // A union tells the same of each of its variants.
    const isKnown = this.list.some((one) => one.text === text && formatPath(one.path) === formatPath(path));
    if (!isKnown) this.list.push({ path, text });
  }

  /** `key must be <rule>, got <value>`. */
  mustBe(path: KeyPath, rule: string, value: unknown): void {
    this.add(path, `must be ${rule}, got ${shown(value)}`);
  }
}

const MOST_SHOWN = 80;

export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  // JSON has neither infinity nor NaN; TOML does.
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** `sites[0].routes[1].path`, `backends."app.example.com".url`. */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${/^[\w-]+$/.test(part) ? part : JSON.stringify(part)}`;
  }
  return text;
}
