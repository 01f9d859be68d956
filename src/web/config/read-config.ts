/** From the text of a configuration file to what the server does, or everything that is wrong with it. */
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { type ConfigContext, Resolver } from './context.ts';
import { type Fault, Faults, formatPath, type KeyPath } from './fault.ts';
import { lineOf } from './positions.ts';
import { resolveConfig } from './resolve.ts';
import { salvage } from './salvage.ts';
import { CONFIG, type WrittenConfig } from './schema.ts';
import { findUnknownKeys } from './unknown-keys.ts';
import type { WebConfig } from './web-config.ts';

export type ConfigRead =
  | { readonly kind: 'good'; readonly config: WebConfig; readonly written: WrittenConfig }
  | { readonly kind: 'bad'; readonly faults: readonly Fault[] };

/** `file` is its name for messages; each message is one line, `file:line: key rule, value`. */
export function readConfigText(
  toml: string,
  file: string,
  context: ConfigContext,
):
  | { readonly kind: 'good'; readonly config: WebConfig; readonly written: WrittenConfig }
  | { readonly kind: 'bad'; readonly messages: readonly string[] } {
  let input: unknown;
  try {
    input = parse(toml);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    return { kind: 'bad', messages: [`${file}:${error.line}: must be TOML: ${reason}`] };
  }
  const read = readConfig(input, context);
  if (read.kind === 'good') return read;
  const placed = read.faults.map(({ path, text }) => ({ line: lineOf(toml, path), path, text }));
  placed.sort((one, two) => one.line - two.line);
  return { kind: 'bad', messages: placed.map(({ line, path, text }) => `${file}:${line}: ${named(path)}${text}`) };
}

/** What was put together from a command line is read like a file. */
export function readConfig(input: unknown, context: ConfigContext): ConfigRead {
  const faults = new Faults();
  findUnknownKeys(CONFIG, input, faults);
  const result = v.safeParse(CONFIG, input);
  if (!result.success) for (const issue of result.issues) addIssue(issue, [], faults);
  if (!result.success || faults.list.length > 0) {
    addFaultsOfTheRest(input, context, faults);
    return { kind: 'bad', faults: faults.list };
  }
  const config = resolveConfig(result.output, new Resolver(context, faults));
  if (faults.list.length > 0) return { kind: 'bad', faults: faults.list };
  return { kind: 'good', config, written: result.output };
}

/** A key that is spelled wrong must not hide that a folder is missing elsewhere. */
function addFaultsOfTheRest(input: unknown, context: ConfigContext, faults: Faults): void {
  const rest = salvage(input);
  if (rest === null) return;
  const found = new Faults();
  resolveConfig(rest.written, new Resolver(context, found));
  for (const { path, text } of found.list) {
    const place = rest.placeOf(path);
    if (!rest.isDoubtful(place)) faults.add(place, text);
  }
}

function named(path: KeyPath): string {
  return path.length === 0 ? '' : `${formatPath(path)} `;
}

function addIssue(issue: v.BaseIssue<unknown>, parent: KeyPath, faults: Faults): void {
  // Unknown keys are found by ourselves, all of them.
  if (issue.expected === 'never') return;
  const path = [...parent, ...(issue.path ?? []).map(({ key }) => key as string | number)];
  // A table that was meant for one variant of a value is told what is wrong in it.
  const inner = issue.issues?.filter((one) => one.path !== undefined) ?? [];
  if (inner.length > 0) {
    for (const one of inner) addIssue(one, path, faults);
    return;
  }
  if (issue.path?.at(-1)?.origin === 'key' && issue.type === 'strict_object') faults.add(path, 'must be given');
  else
    faults.mustBe(
      path,
      issue.kind === 'schema' && issue.type === 'strict_object' ? 'a table' : issue.message,
      issue.input,
    );
}
