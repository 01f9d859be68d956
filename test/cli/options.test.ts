import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { type OptionRow, resolveOptions, variableOf } from '../../src/cli/options.ts';
import { HOST, wholeNumber } from '../../src/rules/rules.ts';

const commands = await Promise.all(COMMANDS.map(async ({ name, load }) => ({ name, ...(await load()) })));

describe.each(commands)('the rows of $name', ({ rows }) => {
  test('have names, short names and variables of their own', () => {
    for (const names of [
      rows.map((row) => row.name),
      rows.flatMap((row) => row.short ?? []),
      rows.flatMap((row) => [variableOf(row), ...(row.variable ? [row.variable] : [])]),
    ]) {
      expect(new Set(names).size).toBe(names.length);
    }
    for (const row of rows) expect(row.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    // The program itself uses these.
    for (const taken of ['help', 'version', 'json']) expect(rows.map((row) => row.name)).not.toContain(taken);
    for (const taken of ['h', 'V']) expect(rows.map((row) => row.short)).not.toContain(taken);
  });

  test('have defaults that obey their rules, and help in the form of the table', () => {
    for (const row of rows) {
      if (row.default !== undefined) expect(row.rule?.read(row.default), row.name).toBeDefined();
      if (row.isRepeatable) expect(row.rule, row.name).toBeDefined();
      expect(row.help, row.name).toMatch(/^\S.*[^.\s]$/);
      if (row.rule) expect(row.rule.requirement, row.name).toMatch(/^\S.*[^.\s]$/);
    }
  });

  test('exclude only options that exist', () => {
    const names = rows.map((row) => row.name);
    for (const row of rows) expect(names).toEqual(expect.arrayContaining([...(row.excludes ?? [])]));
  });
});

const ROWS = [
  { name: 'port', rule: wholeNumber(0, 9), default: '1', variable: 'PORT', ignored: /^tcp:/, help: '' },
  { name: 'the-host', rule: HOST, excludes: ['port', 'share'], help: '' },
  { name: 'list', rule: wholeNumber(0, 9), isRepeatable: true, help: '' },
  { name: 'share', help: '' },
] as const satisfies readonly OptionRow[];

function valuesOf(typed: Record<string, string[]>, environment: Record<string, string> = {}) {
  return resolveOptions(ROWS, typed, environment).values;
}

function usageError(message: string) {
  return expect.objectContaining({ name: 'UsageError', message });
}

describe('resolving options', () => {
  test('without any, the defaults apply', () => {
    expect(valuesOf({})).toEqual({ port: 1, 'the-host': undefined, list: [], share: false });
  });

  test('the command line wins over VRYPT_PORT, VRYPT_PORT over PORT, PORT over the default', () => {
    expect(valuesOf({ port: ['2'] }, { VRYPT_PORT: '3', PORT: '4' }).port).toBe(2);
    expect(valuesOf({}, { VRYPT_PORT: '3', PORT: '4' }).port).toBe(3);
    expect(valuesOf({}, { PORT: '4' }).port).toBe(4);
  });

  test('a variable that loses is not checked', () => {
    expect(valuesOf({ port: ['2'] }, { VRYPT_PORT: 'x', PORT: 'x' }).port).toBe(2);
  });

  test('an empty variable counts as unset', () => {
    expect(valuesOf({}, { VRYPT_PORT: '', PORT: '4', VRYPT_THE_HOST: '', VRYPT_SHARE: '' })).toMatchObject({
      port: 4,
      'the-host': undefined,
      share: false,
    });
  });

  test('a variable that is meant for another program is ignored', () => {
    expect(valuesOf({}, { VRYPT_PORT: 'tcp://10.0.0.1:80', PORT: '4' }).port).toBe(4);
    expect(valuesOf({}, { VRYPT_PORT: 'tcp://10.0.0.1:80' }).port).toBe(1);
    expect(() => valuesOf({ port: ['tcp://10.0.0.1:80'] })).toThrow();
  });

  test('an error names the variable', () => {
    const message = (name: string) => usageError(`${name} must be a whole number from 0 to 9, got "x"`);
    expect(() => valuesOf({}, { VRYPT_PORT: 'x' })).toThrow(message('VRYPT_PORT'));
    expect(() => valuesOf({}, { PORT: 'x' })).toThrow(message('PORT'));
    expect(() => valuesOf({ port: ['x'] })).toThrow(message('--port'));
  });

  test.each(['1', 'true', 'yes', 'TRUE', 'Yes'])('a switch is on with %s', (text) => {
    expect(valuesOf({}, { VRYPT_SHARE: text }).share).toBe(true);
  });

  test.each(['0', 'false', 'no', 'False'])('a switch is off with %s', (text) => {
    expect(valuesOf({}, { VRYPT_SHARE: text }).share).toBe(false);
    expect(valuesOf({ share: [''] }, { VRYPT_SHARE: text }).share).toBe(true);
  });

  test.each(['2', 'on', ' 1', 'y'])('a switch refuses %j', (text) => {
    const message = `VRYPT_SHARE must be 1, true, yes, 0, false or no, got ${JSON.stringify(text)}`;
    expect(() => valuesOf({}, { VRYPT_SHARE: text })).toThrow(usageError(message));
  });

  test('the last value of a repeated option wins, and all are checked', () => {
    expect(valuesOf({ port: ['2', '3'] }).port).toBe(3);
    expect(() => valuesOf({ port: ['x', '3'] })).toThrow();
  });

  test('a repeatable option keeps all values; a variable has one per line', () => {
    expect(valuesOf({ list: ['2', '3'] }).list).toEqual([2, 3]);
    expect(valuesOf({}, { VRYPT_LIST: '4\n5\r\n\n6\n' }).list).toEqual([4, 5, 6]);
    expect(valuesOf({ list: ['2'] }, { VRYPT_LIST: '4' }).list).toEqual([2]);
  });

  test.each([
    [{ 'the-host': ['a'], port: ['2'] }, {}, '--the-host and --port must not be given together'],
    [{ 'the-host': ['a'], share: [''] }, {}, '--the-host and --share must not be given together'],
    [{}, { VRYPT_THE_HOST: 'a', VRYPT_PORT: '2' }, 'VRYPT_THE_HOST and VRYPT_PORT must not be given together'],
    [{}, { VRYPT_THE_HOST: 'a', VRYPT_SHARE: 'yes' }, 'VRYPT_THE_HOST and VRYPT_SHARE must not be given together'],
  ])('options that exclude each other are refused from one source: %j %j', (typed, environment, message) => {
    expect(() => valuesOf(typed as Record<string, string[]>, environment as Record<string, string>)).toThrow(
      usageError(message),
    );
  });

  test('of options that exclude each other, the one from the higher source wins', () => {
    expect(valuesOf({ 'the-host': ['a'] }, { VRYPT_PORT: '2' })).toMatchObject({ 'the-host': 'a', port: 1 });
    expect(valuesOf({ port: ['2'] }, { VRYPT_THE_HOST: 'a' })).toMatchObject({ 'the-host': undefined, port: 2 });
    // A platform sets PORT for everything that it starts.
    expect(valuesOf({}, { VRYPT_THE_HOST: 'a', PORT: '2' })).toMatchObject({ 'the-host': 'a', port: 1 });
    expect(valuesOf({}, { VRYPT_THE_HOST: 'a', VRYPT_SHARE: 'no' })).toMatchObject({ 'the-host': 'a', share: false });
  });
});
