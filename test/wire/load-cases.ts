/**
 * Reads the wire cases (test/cases/*.md) and checks their form strictly: a case that says nothing, or not what its author
 * meant, must not pass. test/README.md describes the form.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { OPTION_ROWS, type OptionName, resolveSettings, type TypedOptions } from '../../src/cli/settings.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { REFUSALS, type RefusalReason } from '../../src/http/refusals.ts';
import { type Bytes, readBytes } from './notation.ts';

export interface ExpectedResponse {
  readonly status: number;
  /** A refusal's row in the table of refusals, which determines the text. */
  readonly cause: RefusalReason | null;
  /** The answer to HEAD: header fields as if there were content, but no content. */
  readonly isWithoutContent: boolean;
  /** It says that the connection closes; any other final response says that it persists. */
  readonly closes: boolean;
  /** May be missing, because it depends on how the bytes arrive; interim responses only. */
  readonly isOptional: boolean;
}

/**
 * How the connection is left: `open` for the next request, `waiting` for the rest of this one, or `closed` by the server.
 */
export type EndState = 'open' | 'waiting' | 'closed';

export interface Expected {
  readonly responses: readonly ExpectedResponse[];
  readonly end: EndState;
}

export interface WireCase {
  readonly name: string;
  /** The name of its file, without the folder. */
  readonly document: string;
  readonly sent: Bytes;
  /** As typed on the command line, '' for none: cases with the same text share a server. */
  readonly options: string;
  readonly limits: EngineLimits;
  readonly expected: Expected;
}

const FOLDER = path.join(import.meta.dirname, '../cases');
const INTERIM = 100;

export function loadCases(folder: string = FOLDER): WireCase[] {
  const documents = readdirSync(folder).sort();
  for (const document of documents) {
    if (!document.endsWith('.md')) throw new Error(`${folder} must contain only .md files, has ${document}`);
  }
  return documents.flatMap((document) => readDocument(document, readFileSync(path.join(folder, document), 'utf8')));
}

/** Cases that can share a server, by their options. */
export function casesByOptions(cases: readonly WireCase[]): Map<string, WireCase[]> {
  const groups = new Map<string, WireCase[]>();
  for (const one of cases) {
    const group = groups.get(one.options);
    if (group === undefined) groups.set(one.options, [one]);
    else group.push(one);
  }
  return groups;
}

/** The command line's arguments. */
export function argumentsOf(options: string): string[] {
  return options === '' ? [] : options.split(' ');
}

interface Section {
  readonly name: string;
  readonly prose: string[];
  readonly blocks: Map<string, string[]>;
}

export function readDocument(document: string, text: string): WireCase[] {
  const sections: Section[] = [];
  const intro: string[] = [];
  let block: string[] | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const wrong = (what: string) => new Error(`${document}:${index + 1}: ${what}`);
    const section = sections.at(-1);
    if (block !== null) {
      if (line === '```') block = null;
      else if (line.startsWith('```')) throw wrong('a block must not contain another one');
      else block.push(line);
    } else if (line.startsWith('```')) {
      const kind = line.slice(3);
      if (section === undefined) throw wrong('a block must not come before the first case');
      if (!['send', 'options', 'expect'].includes(kind))
        throw wrong(`a block must be send, options or expect, got "${kind}"`);
      if (section.blocks.has(kind)) throw wrong(`"${section.name}" must have one block "${kind}"`);
      block = [];
      section.blocks.set(kind, block);
    } else if (line.startsWith('## ')) {
      sections.push({ name: line.slice(3), prose: [], blocks: new Map() });
    } else if (section !== undefined) {
      if (line.startsWith('#')) throw wrong('headings below the title must be "## "');
      if (line !== '') section.prose.push(line);
    } else if (line !== '') {
      intro.push(line);
    }
  }
  if (block !== null) throw new Error(`${document}: every block must be closed`);
  if (!intro[0]?.startsWith('# ') || intro.filter((line) => line.startsWith('#')).length > 1) {
    throw new Error(`${document}: must start with one title, "# "`);
  }
  if (sections.length === 0) throw new Error(`${document}: must have a case`);
  const names = new Set<string>();
  for (const { name } of sections) {
    if (names.has(name)) throw new Error(`${document}: no two cases can be called "${name}"`);
    names.add(name);
  }
  return sections.map((section) => {
    try {
      return readCase(document, section);
    } catch (error) {
      throw new Error(`${document}: "${section.name}": ${(error as Error).message}`);
    }
  });
}

function readCase(document: string, section: Section): WireCase {
  const { name, prose, blocks } = section;
  if (!/^[A-Za-z0-9"].*[^.\s]$/.test(name)) throw new Error('the heading must be a sentence without a full stop');
  if (!/§|Policy/.test(prose.join(' ')))
    throw new Error('the reason must name a section of an RFC (§) or say "Policy"');
  const send = blocks.get('send');
  const expect = blocks.get('expect');
  if (send === undefined || expect === undefined)
    throw new Error('a case must have a block "send" and a block "expect"');
  const sent = readBytes(send);
  const options = (blocks.get('options') ?? []).join(' ');
  const expected = readExpected(expect);
  checkSense(sent, expected);
  return { name, document, sent, options, limits: limitsOf(options, blocks.has('options')), expected };
}

function checkSense(sent: Bytes, expected: Expected): void {
  const { responses, end } = expected;
  if (sent.parts.every((part) => part.bytes.length === 0) && !sent.ends) throw new Error('a case must send something');
  if (sent.ends && end !== 'closed') throw new Error('after {end} the last line must be closed');
  if (end === 'open' && responses.length === 0) throw new Error('open must follow a response');
  for (const [index, response] of responses.entries()) {
    const isLast = index === responses.length - 1;
    if (response.closes && !isLast) throw new Error('no response can follow one that closes');
    if (response.closes && end !== 'closed')
      throw new Error('after a response that closes the last line must be closed');
  }
  const last = responses.at(-1);
  if (end === 'closed' && !sent.ends && last?.closes !== true)
    throw new Error('closed must follow a response that closes, or {end}');
  const final = responses.filter((response) => !response.isOptional).length;
  for (const { afterAnswers } of sent.parts) {
    if (afterAnswers > final) throw new Error(`waits for ${afterAnswers} answers, but only ${final} are certain`);
  }
}

const RESPONSE = /^(\d{3})(\?)?(?: ([A-Za-z]+))??( without content)?( close)?$/;

function readExpected(lines: readonly string[]): Expected {
  const end = lines.at(-1);
  if (end !== 'open' && end !== 'waiting' && end !== 'closed') {
    throw new Error(`the last line of expect must be open, waiting or closed, got "${end ?? ''}"`);
  }
  const responses = lines.slice(0, -1).flatMap((line) => {
    const [all, count = '1', response = ''] = /^(?:([1-9]\d{0,3}) x )?(.*)$/.exec(line) ?? [];
    if (all === undefined) throw new Error(`not a response: "${line}"`);
    return new Array<ExpectedResponse>(Number(count)).fill(readResponse(response));
  });
  return { responses, end };
}

function readResponse(line: string): ExpectedResponse {
  const match = RESPONSE.exec(line);
  if (match === null) throw new Error(`not a response: "${line}"`);
  const status = Number(match[1]);
  const isOptional = match[2] !== undefined;
  const cause = match[3];
  const isWithoutContent = match[4] !== undefined;
  const closes = match[5] !== undefined;
  if (isOptional && status !== INTERIM) throw new Error(`only an interim response can be optional: "${line}"`);
  if (status === INTERIM || status === 200) {
    if (cause !== undefined) throw new Error(`not a refusal: "${line}"`);
    if (status === INTERIM && line !== '100' && line !== '100?') throw new Error(`100 must stand alone: "${line}"`);
    return { status, cause: null, isWithoutContent, closes, isOptional };
  }
  if (cause === undefined || !isCause(cause)) throw new Error(`a refusal must name its cause: "${line}"`);
  if (REFUSALS[cause].status !== status) throw new Error(`${cause} is ${REFUSALS[cause].status}, not ${status}`);
  if (match[5] !== undefined) throw new Error(`every refusal closes, so "close" must be left out: "${line}"`);
  return { status, cause, isWithoutContent, closes: true, isOptional };
}

function isCause(name: string): name is RefusalReason {
  return Object.hasOwn(REFUSALS, name);
}

function limitsOf(options: string, hasBlock: boolean): EngineLimits {
  const words = argumentsOf(options);
  if (hasBlock && words.length === 0) throw new Error('the block "options" must not be empty');
  const typed: Partial<Record<OptionName, string[]>> = {};
  for (let i = 0; i < words.length; i += 2) {
    const row = OPTION_ROWS.find((one) => `--${one.name}` === words[i]);
    const value = words[i + 1];
    if (row === undefined || value === undefined || !('default' in row)) {
      throw new Error(`options must be "--name value", got "${options}"`);
    }
    typed[row.name] = [value];
  }
  return resolveSettings(typed satisfies TypedOptions, {}).limits;
}
