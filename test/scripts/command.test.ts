import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';
import { type CommandSpec, parseCommandLine } from '../../scripts/support/command.ts';
import { explain, Failure, UsageError } from '../../scripts/support/errors.ts';

const steps = ['bundle', 'node-binary', 'code-cache', 'close-environment', 'package', 'verify', 'archive', 'smoke'];
const commands = [...steps, 'release'];

function fileOf(command: string): string {
  return command === 'release' ? 'scripts/release.ts' : `scripts/steps/${command}.ts`;
}

function run(command: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [fileOf(command), ...args], { cwd: root, encoding: 'utf8' });
}

test.each(commands)('npm run %s exists', (command) => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  // Modules that are compiled once are no other command.
  expect(scripts[command].replace('NODE_COMPILE_CACHE=build/compile-cache ', '')).toBe(`node ${fileOf(command)}`);
});

test.each(commands)('%s refuses an unknown target with one line and exit code 2', (command) => {
  const { status, stdout, stderr } = run(command, '--target', 'vax');
  expect(stderr).toMatch(/^--target must be one of [^\n]+; got "vax"\n$/);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});

test('an unknown option is refused with one line and exit code 2', () => {
  const { status, stdout, stderr } = run('bundle', '--fast');
  expect(stderr).toMatch(/^[^\n]*--fast[^\n]*\n$/);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
});

test('--help says what it does', () => {
  const { status, stdout } = run('bundle', '--help');
  expect(stdout).toMatch(/^[A-Z].*\.\n\n.*--target <triple>/);
  expect(status).toBe(0);
});

describe('the command line', () => {
  const spec: CommandSpec = {
    about: 'Tries it.',
    options: [
      { name: 'target', short: 't', value: 'triple', help: 'one' },
      { name: 'all', help: 'all' },
    ],
  };

  test('has switches and repeatable options', () => {
    const given = parseCommandLine(spec, ['--all', '-t', 'a', '--target=b']);
    expect([given.has('all'), given.has('help'), given.valuesOf('target')]).toEqual([true, false, ['a', 'b']]);
    expect(parseCommandLine(spec, []).valuesOf('target')).toEqual([]);
  });

  test.each([[['--target']], [['--all=1']], [['-x']], [['stray']]])('refuses %j with one line', (args) => {
    expect(() => parseCommandLine(spec, args)).toThrow(UsageError);
    expect(() => parseCommandLine(spec, args)).toThrow(/^[^\n]+$/);
  });

  test('accepts arguments only where they have a meaning', () => {
    expect(parseCommandLine({ ...spec, positionals: 'triples' }, ['a', 'b']).positionals).toEqual(['a', 'b']);
  });
});

test('a failure is explained by its message and its cause, a bug by its stack', () => {
  const failure = new Failure('compile failed', { cause: new Failure('no such file') });
  expect(explain(failure)).toBe('compile failed\nno such file');
  expect(explain(new UsageError('no'))).toBe('no');
  expect(explain(new TypeError('bug'))).toContain('command.test.ts');
});
