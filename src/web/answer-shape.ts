/**
 * How the answers of a route look: its header rules and security headers on every one, and its pages for errors. Made once; what
 * it prepares is sent many times.
 */
import { readFileSync } from 'node:fs';
import { contentTypeOf } from '../files/mime.ts';
import { Answer } from '../http/answer.ts';
import { MadeReply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import { mustBeEmpty, reasonPhrase } from '../http/status.ts';
import type { ErrorPageConfig, HeaderRules } from './config/web-config.ts';

export type FieldList = readonly (readonly [name: string, value: string])[];

export const NO_RULES: HeaderRules = { set: [], add: [], remove: [] };
const PLAIN = ['Content-Type', 'text/plain; charset=utf-8'] as const;

export class AnswerShape {
  readonly rules: HeaderRules;
  /** Added to what does not have them. */
  readonly defaults: FieldList;
  readonly #pages: readonly ErrorPage[];
  readonly #replaced: ReadonlySet<string>;
  readonly #isPlain: boolean;
  readonly #errors = new Map<number, Reply>();

  readonly editRequestLines: ((lines: string) => string) | null;
  readonly #requestRules: HeaderRules;

  constructor(
    rules: HeaderRules,
    defaults: FieldList,
    pages: readonly ErrorPage[],
    requestRules: HeaderRules = NO_RULES,
  ) {
    this.#requestRules = requestRules;
    const { set, add, remove } = requestRules;
    const request = set.length + add.length + remove.length === 0 ? null : new AnswerShape(requestRules, [], []);
    this.editRequestLines = request?.editLines ?? null;
    this.rules = rules;
    this.defaults = defaults;
    this.#pages = pages;
    this.#replaced = new Set([...rules.remove, ...rules.set.map(([name]) => name.toLowerCase())]);
    this.#isPlain = defaults.length === 0 && this.#replaced.size === 0 && rules.add.length === 0;
  }

  /** The same answers, with further fields by default. */
  with(defaults: FieldList): AnswerShape {
    return new AnswerShape(this.rules, [...defaults, ...this.defaults], this.#pages, this.#requestRules);
  }

  fieldsOf(fields: FieldList): FieldList {
    if (this.#isPlain) return fields;
    const kept = fields.filter(([name]) => !this.#replaced.has(name.toLowerCase()));
    const all = [...kept, ...this.rules.set, ...this.rules.add];
    const present = new Set(all.map(([name]) => name.toLowerCase()));
    for (const field of this.defaults) {
      const name = field[0].toLowerCase();
      if (name === 'vary') addVary(all, field[1]);
      else if (!present.has(name) && !this.#replaced.has(name)) all.push(field);
    }
    return all;
  }

  /** The same for lines of a head, each with its CR LF; null: nothing changes. */
  get editLines(): ((lines: string) => string) | null {
    return this.#isPlain ? null : this.#editLines;
  }

  readonly #editLines = (lines: string): string => linesOf(this.fieldsOf(fieldsIn(lines)));

  /** An answer to be kept and sent again. */
  prepare(status: number, fields: FieldList, content: string | Uint8Array): Answer {
    return new Answer(status, this.fieldsOf(fields), content);
  }

  /** With the page for that status, if there is one. Without `fields` it is made once. */
  error(status: number, fields: FieldList = []): Reply {
    const known = fields.length === 0 ? this.#errors.get(status) : undefined;
    if (known !== undefined) return known;
    const page = this.#pages.find(({ from, to }) => status >= from && status <= to);
    const content = page?.content ?? `${status} ${reasonPhrase(status)}\n`;
    const type = page === undefined ? PLAIN : (['Content-Type', page.type] as const);
    if (fields.length > 0) {
      let lines = '';
      for (const [name, value] of this.fieldsOf([type, ...fields])) lines += `${name}: ${value}\r\n`;
      return new MadeReply(status, lines, content);
    }
    const made = mustBeEmpty(status) ? this.prepare(status, [], '') : this.prepare(status, [type], content);
    this.#errors.set(status, made);
    return made;
  }
}

function addVary(fields: (readonly [string, string])[], value: string): void {
  const at = fields.findIndex(([name]) => name.toLowerCase() === 'vary');
  const known = fields[at]?.[1];
  if (known === undefined) fields.push(['Vary', value]);
  else if (
    !known
      .toLowerCase()
      .split(/\s*,\s*/)
      .includes(value.toLowerCase())
  )
    fields[at] = ['Vary', `${known}, ${value}`];
}

/** A file that is sent instead of the sentence for an error; read when the configuration is. */
export interface ErrorPage {
  readonly from: number;
  readonly to: number;
  readonly type: string;
  readonly content: Uint8Array;
}

export function readErrorPages(pages: readonly ErrorPageConfig[]): ErrorPage[] {
  return pages.map(({ from, to, file }) => ({ from, to, type: contentTypeOf(file), content: readFileSync(file) }));
}

/** Of lines with their CR LF, as the response parser gives them. */
export function fieldsIn(lines: string): FieldList {
  const fields: [string, string][] = [];
  for (let at = 0; at < lines.length; ) {
    const colon = lines.indexOf(':', at);
    const end = lines.indexOf('\r\n', colon);
    fields.push([lines.slice(at, colon), lines.slice(colon + 1, end).trim()]);
    at = end + 2;
  }
  return fields;
}

export function linesOf(fields: FieldList): string {
  let lines = '';
  for (const [name, value] of fields) lines += `${name}: ${value}\r\n`;
  return lines;
}
