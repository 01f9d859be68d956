#!/usr/bin/env node
/**
 * `vrypt-release`: any Node program, in the folder where it is called, as one file for every Linux. What reads the program's
 * description is loaded only when the command line is known to be good.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { toolchain } from './support/checkout.ts';
import { type CommandSpec, command } from './support/command.ts';
import { Failure, UsageError } from './support/errors.ts';
import { isNodeNewEnough, oldestNode } from './support/oldest-node.ts';

const commands = {
  init: 'write vrypt.release.json, the description of the program',
  plan: 'say what would be made, and what cannot be made and why',
  build: 'make the executables',
  verify: 'build, and compare each with its target and its Node',
  smoke: 'verify, pack, and start each archive as a person would',
  release: 'smoke, and put the archives, checksums and a manifest into one folder',
  runtimes: 'fill the cache of runtimes (--from)',
} as const satisfies Record<string, string>;

export type CommandName = keyof typeof commands;

const width = Math.max(...Object.keys(commands).map((name) => name.length));
const listed = Object.entries(commands).map(([name, help]) => `  ${name.padEnd(width)}  ${help}`);

const spec: CommandSpec = {
  about: `vrypt-release <command>: a Node program as one file for every Linux.\n\n${listed.join('\n')}`,
  positionals: 'command',
  options: [
    { name: 'target', short: 't', value: 'triple', help: 'only this target; may be repeated' },
    { name: 'out', short: 'o', value: 'folder', help: 'where a release goes (default: release)' },
    {
      name: 'from',
      value: 'place',
      help: 'of runtimes: a folder, an address or an npm package; {target} in it is the triple',
    },
    { name: 'json', help: 'print the result as JSON' },
    { name: 'version', help: 'print the version of this toolchain' },
  ],
};

await command(spec, async (given) => {
  if (given.has('version')) {
    const { version } = JSON.parse(readFileSync(path.join(toolchain, 'package.json'), 'utf8')) as { version: string };
    process.stdout.write(`${version}\n`);
    return;
  }
  const [name = 'nothing', ...more] = given.positionals;
  if (!Object.hasOwn(commands, name)) {
    throw new UsageError(`the command must be one of ${Object.keys(commands).join(', ')}; got ${name}`);
  }
  if (more.length > 0) throw new UsageError(`there must be one command, got ${given.positionals.join(' ')}`);
  if (!isNodeNewEnough(process.versions.node)) {
    throw new Failure(`vrypt-release needs Node ${oldestNode} or newer, this is ${process.version}`);
  }
  const { runCommand } = await import('./commands/commands.ts');
  await runCommand(name as CommandName, given);
});
