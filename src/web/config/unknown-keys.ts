/** Keys that no table has, each with the one that may have been meant. valibot names only the first of a table. */
import type * as v from 'valibot';
import { nearest } from '../../rules/nearest.ts';
import type { Faults, KeyPath } from './fault.ts';

interface AnySchema {
  readonly type: string;
  readonly entries?: Readonly<Record<string, AnySchema>>;
  readonly wrapped?: AnySchema;
  readonly item?: AnySchema;
  readonly value?: AnySchema;
  readonly options?: readonly (AnySchema | string | number)[];
}

/** Keys that valibot leaves out of a table of names without a word. */
const RESERVED: readonly string[] = ['__proto__', 'constructor', 'prototype'];

export function findUnknownKeys(schema: v.GenericSchema, input: unknown, faults: Faults): void {
  visit(schema as unknown as AnySchema, input, [], faults);
}

function visit(schema: AnySchema, input: unknown, path: KeyPath, faults: Faults): void {
  if (typeof input !== 'object' || input === null) return;
  if (schema.wrapped !== undefined) {
    visit(schema.wrapped, input, path, faults);
  } else if (schema.type === 'array' && Array.isArray(input)) {
    for (const [index, item] of input.entries()) visit(schema.item as AnySchema, item, [...path, index], faults);
  } else if (schema.type === 'record') {
    for (const [key, value] of Object.entries(input)) {
      if (RESERVED.includes(key)) faults.add([...path, key], 'must have another name: this one is of the language');
      visit(schema.value as AnySchema, value, [...path, key], faults);
    }
  } else if (schema.type === 'union') {
    for (const option of tablesAmong(schema, input)) visit(option, input, path, faults);
  } else if (schema.entries !== undefined && !Array.isArray(input)) {
    visitTable(schema.entries, input, path, faults);
  }
}

/** The variants that the input can be; of several tables, those that have one of its keys. */
function tablesAmong(schema: AnySchema, input: object): AnySchema[] {
  const wanted = Array.isArray(input) ? 'array' : 'strict_object';
  const options = (schema.options ?? []).filter(
    (option): option is AnySchema => typeof option === 'object' && option.type === wanted,
  );
  if (options.length < 2) return options;
  return options.filter((option) => Object.keys(input).some((key) => option.entries?.[key] !== undefined));
}

function visitTable(entries: Readonly<Record<string, AnySchema>>, input: object, path: KeyPath, faults: Faults): void {
  for (const [key, value] of Object.entries(input)) {
    const entry = Object.hasOwn(entries, key) ? entries[key] : undefined;
    if (entry !== undefined) {
      visit(entry, value, [...path, key], faults);
      continue;
    }
    const meant = nearest(key, Object.keys(entries));
    const hint =
      meant === undefined ? `the keys here are ${Object.keys(entries).join(', ')}` : `did you mean ${meant}?`;
    faults.add([...path, key], `is not a key; ${hint}`);
  }
}
