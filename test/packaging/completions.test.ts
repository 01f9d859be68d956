/** Completions, asked in the shells themselves. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commandLine } from '../../product/command-line.ts';
import type { CommandLine } from '../../scripts/packaging/command-line.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../scripts/packaging/completions.ts';
import { areInstalled } from '../installed.ts';
import { facts } from './facts.ts';

let folder = '';
const demo = facts.commandLine as CommandLine;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vrypt-complete-'));
  for (const [name, line] of [
    ['demo-server', demo],
    ['vrypt-server', commandLine],
  ] as const) {
    writeFileSync(path.join(folder, `${name}.bash`), bashCompletion(name, line));
    writeFileSync(path.join(folder, `${name}.fish`), fishCompletion(name, line));
    writeFileSync(path.join(folder, `_${name}`), zshCompletion(name, line));
  }
  writeFileSync(path.join(folder, 'root-folder'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What each shell offers; the last word is the one that is completed. */
const shells = {
  bash(typed: string): string {
    const [name = ''] = typed.split(' ');
    const words = typed.endsWith(' ') ? `${typed}''` : typed;
    const script = `source ${name}.bash; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1))
      _${name.replaceAll('-', '_')}; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return ran('bash', ['--norc', '-c', script]);
  },
  fish: (typed: string): string =>
    ran('fish', ['--no-config', '-c', `source ${typed.split(' ')[0]}.fish; complete -C '${typed}'`]),
  /**
   * In a terminal of its own: the line is there before the first key, and goes into a file. The first completion of a
   * session, which loads functions, inserts nothing when a widget calls it.
   */
  zsh(typed: string): string {
    const shown = path.join(folder, 'shown');
    rmSync(shown, { force: true });
    writeFileSync(
      path.join(folder, '.zshrc'),
      `PS1=; fpath=(${folder} $fpath); autoload -Uz compinit; compinit -u -d ${folder}/dump
      zle-line-init() { repeat 2; do BUFFER='${typed}'; CURSOR=$#BUFFER; zle complete-word; done; print -r -- "$BUFFER" >${shown}; exit }
      zle -N zle-line-init`,
    );
    ran('zsh', [
      '-f',
      '-c',
      `zmodload zsh/zpty; zpty shell 'ZDOTDIR=${folder} zsh -i'; while zpty -r shell line; do :; done`,
    ]);
    return readFileSync(shown, 'utf8');
  },
} as const;

function ran(file: string, args: readonly string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    TERM: 'xterm',
    XDG_CONFIG_HOME: folder,
    XDG_DATA_HOME: folder,
  };
  const { stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: 'utf8', env, timeout: 50_000 });
  if (stderr !== '') throw new Error(stderr);
  return stdout;
}

const are = areInstalled('completions', { zsh: 'zsh', fish: 'fish' });

test.skipIf(!are).each(Object.keys(shells) as (keyof typeof shells)[])(
  '%s completes commands, options and files',
  (shell) => {
    const complete = shells[shell];
    expect(complete('demo-server ch')).toMatch(/\bcheck\b/);
    expect(complete('demo-server check --ti')).toMatch(/--timeout\b/);
    expect(complete('demo-server serve --po')).toMatch(/--port\b/);
    expect(complete('demo-server serve --root root-f')).toMatch(/root-folder/);
  },
);

test.skipIf(!are).each(commandLine.commands.map(({ name, options }) => ({ name, option: options[0]?.name ?? 'help' })))(
  'every command of ours is known to each shell: $name --$option',
  ({ name, option }) => {
    for (const complete of Object.values(shells)) {
      expect(complete(`vrypt-server ${name} --${option.slice(0, -1)}`)).toContain(`--${option}`);
    }
  },
);
