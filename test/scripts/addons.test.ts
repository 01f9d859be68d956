/** Native addons: which targets take them, what they ask of the system, and what is said of the others before anything is built. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';
import { elfFile } from './elf-file.ts';

const NEEDED = 1;
const addon = elfFile({ type: 3, dynamic: [[NEEDED, 'libstdc++.so.6']], versions: ['GLIBC_2.34'] });

interface Planned {
  readonly targets: readonly { target: string; needs: string; obstacles: string[] }[];
  readonly warnings: readonly string[];
}

/** What `plan` says of three targets. */
function plan(
  files: Readonly<Record<string, string | Buffer>>,
): Record<string, { needs: string; obstacles: string[] }> {
  const { targets } = planOf(files);
  return Object.fromEntries(targets.map(({ target, needs, obstacles }) => [target, { needs, obstacles }]));
}

function planOf(files: Readonly<Record<string, string | Buffer>>): Planned {
  const folder = mkdtempSync('/tmp/vrypt-addons-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  const targets = ['x86_64-unknown-linux-gnu', 'x86_64-unknown-linux-musl', 'aarch64-unknown-linux-gnu'];
  const args = [path.join(root, 'scripts/cli.ts'), 'plan', '--json', ...targets.flatMap((triple) => ['-t', triple])];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as Planned;
}

test('one that lies in its package raises the floor where it loads, and is refused elsewhere', () => {
  const planned = plan({
    'package.json': '{ "name": "there", "main": "main.js", "dependencies": { "native": "1" } }',
    'main.js': "require('native');\n",
    'node_modules/native/package.json': '{ "name": "native", "version": "1.0.0" }',
    'node_modules/native/index.js': "require('./a.node');\n",
    'node_modules/native/a.node': addon,
  });
  expect(planned['x86_64-unknown-linux-gnu']).toEqual({
    needs: 'glibc 2.34 or newer, libstdc++.so.6, because of native addons',
    obstacles: [],
  });
  const refusal = 'native 1.0.0 has the native addon node_modules/native/a.node, and';
  expect(planned['x86_64-unknown-linux-musl']?.obstacles[0]).toContain(
    `${refusal} x86_64-unknown-linux-musl cannot load it: a static executable loads no native addons`,
  );
  expect(planned['aarch64-unknown-linux-gnu']?.obstacles[0]).toContain('it is for x86_64, 64 bits');
});

test('of several packages for different systems, one must be for the target', () => {
  const planned = plan({
    'package.json': '{ "name": "there", "main": "main.js", "dependencies": { "choice": "1" } }',
    'main.js': "require('choice');\n",
    'node_modules/choice/package.json':
      '{ "name": "choice", "version": "1.0.0", "optionalDependencies": { "choice-linux-x64": "1" } }',
    'node_modules/choice/index.js': "require('choice-linux-x64');\n",
    'node_modules/choice-linux-x64/package.json':
      '{ "name": "choice-linux-x64", "version": "1.0.0", "main": "a.node", "os": ["linux"], "cpu": ["x64"] }',
    'node_modules/choice-linux-x64/a.node': addon,
  });
  expect(planned['x86_64-unknown-linux-gnu']?.obstacles).toEqual([]);
  expect(planned['x86_64-unknown-linux-musl']?.obstacles[0]).toMatch(/^choice 1\.0\.0 has the native addon/);
  expect(planned['aarch64-unknown-linux-gnu']?.obstacles[0]).toMatch(/^choice 1\.0\.0 has the native addon/);
});

test('one that only makes something faster is left out', () => {
  const planned = plan({
    'package.json': '{ "name": "there", "main": "main.js", "dependencies": { "pure": "1" } }',
    'main.js': "require('pure');\n",
    'node_modules/pure/package.json':
      '{ "name": "pure", "version": "1.0.0", "optionalDependencies": { "faster": "1" } }',
    'node_modules/pure/index.js': "try { require('faster'); } catch {}\n",
    'node_modules/faster/package.json': '{ "name": "faster", "version": "1.0.0" }',
    'node_modules/faster/a.node': addon,
  });
  expect(planned['x86_64-unknown-linux-musl']?.obstacles).toEqual([]);
});

test('a package that starts a program of its own is refused everywhere, and can be left out', () => {
  const files = {
    'package.json': '{ "name": "there", "main": "main.js", "dependencies": { "tool": "1" } }',
    'main.js': "require('tool');\n",
    'node_modules/tool/package.json':
      '{ "name": "tool", "version": "1.0.0", "optionalDependencies": { "tool-linux-x64": "1" } }',
    'node_modules/tool/index.js': '',
    'node_modules/tool-linux-x64/package.json':
      '{ "name": "tool-linux-x64", "version": "1.0.0", "os": ["linux"], "cpu": ["x64"] }',
    'node_modules/tool-linux-x64/bin/tool': elfFile({ type: 2 }),
  };
  for (const { obstacles } of Object.values(plan(files))) {
    expect(obstacles[0]).toContain(
      'tool 1.0.0 starts the program node_modules/tool-linux-x64/bin/tool, which no system can start out of an executable',
    );
  }
  const without = plan({ ...files, 'vrypt.release.json': '{ "without": ["tool"] }' });
  expect(Object.values(without).flatMap(({ obstacles }) => obstacles)).toEqual([]);
});

test('a program in a package for every system goes along with a word: it cannot be started where it lies', () => {
  const { targets, warnings } = planOf({
    'package.json': '{ "name": "there", "main": "main.js", "dependencies": { "many": "1" } }',
    'main.js': "require('many');\n",
    'node_modules/many/package.json': '{ "name": "many", "version": "1.0.0" }',
    'node_modules/many/index.js': '',
    'node_modules/many/linux/arm/tool': elfFile({ type: 2 }),
    'node_modules/many/linux/x64/tool': elfFile({ type: 2 }),
  });
  expect(targets.flatMap(({ obstacles }) => obstacles)).toEqual([]);
  expect(warnings.filter((line) => line.includes('many has'))).toEqual([
    'many has the program node_modules/many/linux/arm/tool and 1 more, which is built for one CPU and cannot be started where it lies in the executable',
  ]);
});
