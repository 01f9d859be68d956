/** Checks a value against a schema. Pure. A fault names the place, the rule and the value. */
import type { Schema } from './schema.ts';

export interface Fault {
  /** Names of fields and indexes, from the outside in. */
  readonly path: readonly string[];
  readonly rule: string;
}

/** The first fault; undefined for a good value. */
export function faultOf(value: unknown, schema: Schema, path: readonly string[] = []): Fault | undefined {
  const fault = (rule: string, at: readonly string[] = path): Fault => ({ path: at, rule });
  const got = `got ${short(value)}`;
  if (schema.anyOf !== undefined) {
    const kind = typeOf(value);
    const chosen = schema.anyOf.find(({ type }) => type === kind);
    const kinds = schema.anyOf.map(({ type = '' }) => names[type]).join(' or ');
    return chosen === undefined ? fault(`must be ${kinds}, ${got}`) : faultOf(value, chosen, path);
  }
  if (schema.type !== undefined && typeOf(value) !== schema.type) return fault(`must be ${names[schema.type]}, ${got}`);
  if (schema.enum !== undefined && !schema.enum.includes(value as string))
    return fault(`must be one of ${schema.enum.join(', ')}, ${got}`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value as string))
    return fault(`must match ${schema.pattern}, ${got}`);
  if (schema.minimum !== undefined && (value as number) < schema.minimum)
    return fault(`must be at least ${schema.minimum}, ${got}`);
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) return fault(`must have at least ${schema.minItems} items, got none`);
    return firstOf(value.map((item, index) => faultOf(item, schema.items ?? {}, [...path, String(index)])));
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const missing = schema.required?.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return fault('must be there, is not', [...path, missing]);
  return firstOf(
    Object.entries(value).map(([name, item]) => {
      const own = schema.properties?.[name] ?? schema.additionalProperties;
      if (own) return faultOf(item, own, [...path, name]);
      const known = Object.keys(schema.properties ?? {}).join(', ');
      return fault(`is not a field that is known; there are ${known}`, [...path, name]);
    }),
  );
}

/** The line of a JSON text at which a field stands: names are looked for one after the other. */
export function lineOf(json: string, path: readonly string[]): number {
  let at = 0;
  for (const name of path.filter((part) => !/^\d+$/.test(part))) {
    const found = json.indexOf(`${JSON.stringify(name)}`, at);
    if (found >= 0) at = found;
  }
  return json.slice(0, at).split('\n').length;
}

const names: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  boolean: 'true or false',
};

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return Number.isSafeInteger(value) ? 'integer' : typeof value;
}

function firstOf(faults: readonly (Fault | undefined)[]): Fault | undefined {
  return faults.find((fault) => fault !== undefined);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
