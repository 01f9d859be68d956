/** Options as rows, and what is resolved from them: the command line above the environment, the environment above defaults. */

import { type Rule, SWITCH } from '../rules/rules.ts';
import type { Environment } from './process-io.ts';
import { readBy } from './read-by.ts';
import { UsageError } from './usage-error.ts';

export interface OptionRow {
  readonly name: string;
  readonly short?: string;
  /** Of its value; an option without a rule is a switch. */
  readonly rule?: Rule<unknown>;
  readonly default?: string;
  readonly help: string;
  /** May be given several times; the variable takes one value a line. Any other option: the last one wins. */
  readonly isRepeatable?: true;
  /** A variable beside VRYPT_<NAME>, and below it. */
  readonly variable?: string;
  /** Values of the variables that are not meant for us. */
  readonly ignored?: RegExp;
  /** Options that it must not be given together with. */
  readonly excludes?: readonly string[];
}

/** What was typed, by option: its values in order. A switch has "". */
export type TypedOptions<Name extends string = string> = Readonly<Partial<Record<Name, readonly string[]>>>;

/** Where a value came from: what to call it in a message, and which source wins. */
export interface Source {
  readonly label: string;
  readonly rank: (typeof Rank)[keyof typeof Rank];
}

const Rank = { foreignVariable: 0, variable: 1, commandLine: 2 } as const;

type ValueOf<Row extends OptionRow> = Row extends { readonly rule: Rule<infer Value> }
  ? Row extends { readonly isRepeatable: true }
    ? readonly Value[]
    : Row extends { readonly default: string }
      ? Value
      : Value | undefined
  : boolean;

export type ValuesOf<Rows extends readonly OptionRow[]> = {
  readonly [Row in Rows[number] as Row['name']]: ValueOf<Row>;
};

export interface Resolved<Rows extends readonly OptionRow[]> {
  readonly values: ValuesOf<Rows>;
  /** Of the options that do not have their default. */
  readonly sources: { readonly [Name in Rows[number]['name']]?: Source };
}

interface Given {
  readonly source: Source;
  readonly texts: readonly string[];
}

export function flagOf(row: OptionRow): string {
  return `--${row.name}`;
}

/** The variable that sets an option: --idle-timeout is VRYPT_IDLE_TIMEOUT. */
export function variableOf(row: OptionRow): string {
  return `VRYPT_${row.name.toUpperCase().replaceAll('-', '_')}`;
}

/** Throws a UsageError if a value breaks its rule or two options exclude each other. */
export function resolveOptions<const Rows extends readonly OptionRow[]>(
  rows: Rows,
  typed: TypedOptions,
  environment: Environment,
): Resolved<Rows> {
  const given = new Map<string, Given>();
  for (const row of rows) {
    const one = findGiven(row, typed[row.name], environment);
    if (one !== undefined) given.set(row.name, one);
  }
  for (const row of rows) dropExcluded(row, given);
  const values: Record<string, unknown> = {};
  for (const row of rows) values[row.name] = readValue(row, given.get(row.name));
  const sources: Record<string, Source> = {};
  for (const [name, { source }] of given) sources[name] = source;
  return { values: values as ValuesOf<Rows>, sources: sources as Resolved<Rows>['sources'] };
}

function findGiven(row: OptionRow, typed: readonly string[] | undefined, environment: Environment): Given | undefined {
  if (typed !== undefined) return { source: { label: flagOf(row), rank: Rank.commandLine }, texts: typed };
  const names = row.variable === undefined ? [variableOf(row)] : [variableOf(row), row.variable];
  for (const [index, label] of names.entries()) {
    const text = environment[label];
    // Empty is what `docker run -e NAME=$UNSET` and compose files make of a variable that is not set.
    if (text === undefined || text === '' || row.ignored?.test(text)) continue;
    // A switch that is off is not given.
    if (row.rule === undefined && !readBy(SWITCH, label, text)) return undefined;
    const texts = row.isRepeatable ? text.split(/\r?\n/).filter((line) => line !== '') : [text];
    return { source: { label, rank: index === 0 ? Rank.variable : Rank.foreignVariable }, texts };
  }
  return undefined;
}

/** Of two options that exclude each other, the one from the higher source wins; from the same source it is an error. */
function dropExcluded(row: OptionRow, given: Map<string, Given>): void {
  for (const other of row.excludes ?? []) {
    const one = given.get(row.name)?.source;
    const two = given.get(other)?.source;
    if (one === undefined || two === undefined) continue;
    if (one.rank === two.rank) throw new UsageError(`${one.label} and ${two.label} must not be given together`);
    given.delete(one.rank < two.rank ? row.name : other);
  }
}

function readValue(row: OptionRow, given: Given | undefined): unknown {
  const { rule } = row;
  if (rule === undefined) return given !== undefined;
  const texts = given?.texts ?? (row.default === undefined ? [] : [row.default]);
  // Every value is checked, also one that a later one replaces.
  const values = texts.map((text) => readBy(rule, given?.source.label ?? flagOf(row), text));
  return row.isRepeatable ? values : values.at(-1);
}
