/** What is left of an input without what breaks the shape of its tables, so that the rest can be judged in the same go. */
import * as v from 'valibot';
import type { KeyPath } from './fault.ts';
import { CONFIG, type WrittenConfig } from './schema.ts';

export interface Salvaged {
  readonly written: WrittenConfig;
  /** Where a key of `written` stands in the input. */
  readonly placeOf: (path: KeyPath) => KeyPath;
  /** Whether what is said of a table may only be so because something in it was left out. */
  readonly isDoubtful: (path: KeyPath) => boolean;
}

type Tree = Record<string, unknown> | unknown[];

/** In the place of items of lists, so that the others keep their places. */
const LEFT_OUT = Symbol('left out');

/** null: nothing is left. */
export function salvage(input: unknown): Salvaged | null {
  const tree = copy(input);
  const leftOut: KeyPath[] = [];
  const placeOf = (path: KeyPath) => originalPath(tree, path);
  for (;;) {
    const result = v.safeParse(CONFIG, tidy(tree));
    if (result.success) {
      return { written: result.output, placeOf, isDoubtful: (path) => leftOut.some((one) => isWithin(path, one)) };
    }
    const found = result.issues.flatMap((issue) => pathsOf(issue, []).map(placeOf));
    const before = leftOut.length;
    for (const path of found) {
      const removed = leaveOut(tree, path);
      if (removed !== null) leftOut.push(removed);
    }
    if (leftOut.length === before) return null;
  }
}

/** Of what is wrong in a table that was meant for one variant of a value, otherwise of the value. */
function pathsOf(issue: v.BaseIssue<unknown>, parent: KeyPath): KeyPath[] {
  const path = [...parent, ...(issue.path ?? []).map(({ key }) => key as string | number)];
  const inner = issue.issues?.filter((one) => one.path !== undefined) ?? [];
  return inner.length === 0 ? [path] : inner.flatMap((one) => pathsOf(one, path));
}

/** Returns what was left out: the value, or the table that lacks it. */
function leaveOut(tree: unknown, path: KeyPath): KeyPath | null {
  for (let length = path.length; length > 0; length--) {
    const parent = path.slice(0, length - 1).reduce((value, key) => childOf(value, key), tree);
    const key = path[length - 1] as string | number;
    if (parent === LEFT_OUT) return null;
    if (childOf(parent, key) === undefined) continue;
    if (childOf(parent, key) === LEFT_OUT) return null;
    if (Array.isArray(parent)) parent[key as number] = LEFT_OUT;
    else delete (parent as Record<string, unknown>)[key];
    return path.slice(0, length);
  }
  return null;
}

function childOf(value: unknown, key: string | number): unknown {
  if (value === LEFT_OUT) return LEFT_OUT;
  if (!isTree(value) || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string | number, unknown>)[key];
}

function originalPath(tree: unknown, path: KeyPath): KeyPath {
  const original: (string | number)[] = [];
  let value = tree;
  for (const key of path) {
    let at = key;
    if (Array.isArray(value)) {
      const kept = [...value.keys()].filter((index) => (value as unknown[])[index] !== LEFT_OUT);
      at = kept[key as number] ?? key;
    }
    original.push(at);
    value = childOf(value, at);
  }
  return original;
}

/** `inner` is in `outer` itself, not in a table within it. */
function isWithin(outer: KeyPath, inner: KeyPath): boolean {
  const names = (path: KeyPath) => path.filter((part) => typeof part === 'string').length;
  return outer.every((part, index) => part === inner[index]) && names(inner) - names(outer) <= 1;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !(value instanceof Date);
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copy(one)])) : value;
}

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== LEFT_OUT).map(tidy);
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, tidy(one)])) : value;
}
