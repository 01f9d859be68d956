/** Values of the file as valibot schemas. A message completes "<key> must be …". */
import * as v from 'valibot';
import { type Rule, size as sizeRule, span as spanRule } from '../../rules/rules.ts';

const DAY_MS = 86_400_000;
/** Ten years: nothing in a configuration lasts longer. */
export const LONGEST_MS = 3650 * DAY_MS;
const LARGEST = 1024 ** 5;

/** A number or text that the rule reads; kept as it was written. */
function written(rule: Rule<number>) {
  return v.pipe(
    v.union([v.number(), v.string()], rule.requirement),
    v.check((value) => rule.read(String(value)) !== undefined, rule.requirement),
  );
}

export function span(minMs = 1, maxMs = LONGEST_MS) {
  return written(spanRule(minMs, maxMs));
}

export function size(min = 0, max = LARGEST) {
  return written(sizeRule(min, max));
}

/** What `span` lets pass, in milliseconds. */
export function readSpan(value: number | string): number {
  return spanRule(0, LONGEST_MS).read(String(value)) as number;
}

/** What `size` lets pass, in bytes. */
export function readSize(value: number | string): number {
  return sizeRule(0, LARGEST).read(String(value)) as number;
}

export function whole(min: number, max: number, message = `a whole number from ${min} to ${max}`) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

export const PORT = whole(1, 65_535);
/** 0: any free one. */
export const ANY_PORT = whole(0, 65_535);
export const SWITCH = v.boolean('true or false');

/** NUL would end it early in a system call; line ends would end a field. */
export function text(requirement = 'text that is not empty') {
  return v.pipe(v.string(requirement), v.regex(/^[^\0\r\n]+$/, requirement));
}

export const PATH = text('the path of a file');

export function texts(requirement: string) {
  return v.array(text(requirement), `a list, each ${requirement}`);
}

export function oneOf<const Words extends readonly string[]>(words: Words) {
  return v.picklist(words, `one of ${words.join(', ')}`);
}

/** RFC 9110 §5.1. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5, in ASCII as it asks of new fields. */
const FIELD_VALUE = /^[\t\x20-\x7e]*$/;

export const FIELD_VALUE_TEXT = v.pipe(
  v.string('text in printable ASCII'),
  v.regex(FIELD_VALUE, 'text in printable ASCII'),
);
export const FIELD_NAME_TEXT = v.pipe(
  v.string('the name of a header field'),
  v.regex(FIELD_NAME, 'the name of a header field'),
);

/** Text, or where it is found: an environment variable or a file. */
export const SECRET = v.union(
  [text(), v.strictObject({ env: text('the name of an environment variable') }), v.strictObject({ file: PATH })],
  'text, { env = "NAME" } or { file = "path" }',
);
export type WrittenSecret = v.InferOutput<typeof SECRET>;

/** With its text for editors. */
export function said<Schema extends v.GenericSchema>(description: string, schema: Schema) {
  return v.pipe(schema, v.description(description));
}
