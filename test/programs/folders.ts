/** The folders in which programs are packaged: each as its author has it, and the packed toolchain in one of its own. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, root } from '../../scripts/support/checkout.ts';
import { Failure } from '../../scripts/support/errors.ts';
import type { TriedProgram } from './program.ts';

const places = path.join(build, 'programs');
/** `vrypt-release` is in its node_modules/.bin. */
export const toolchain: string = path.join(places, '.toolchain');
/** The tarball of the library, once it is made. */
let packedLibrary: string | null = null;

/** Once for all programs, as `npm install --global` would. */
export function installToolchain(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/steps/package-release.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Failure(`the toolchain must be packed: ${stderr}`);
  const tarball = path.join(root, /package:release (\S+)/.exec(stderr)?.[1] ?? '');
  install(toolchain, { name: 'toolchain', dependencies: { 'vrypt-release': `file:${tarball}` } }, fileHash(tarball));
}

/** Returns the path of its tarball. */
function packLibrary(): string {
  run([process.execPath, 'scripts/steps/package-npm.ts'], root);
  const args = ['pack', '--silent', '--pack-destination', build, path.join(build, 'npm')];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Failure(`the library must be packed: ${stderr}`);
  return path.join(build, stdout.trim());
}

function dependenciesOf({ dependencies }: TriedProgram): Record<string, string> {
  const library = () => {
    packedLibrary ??= packLibrary();
    return `file:${packedLibrary}`;
  };
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, version]) => [name, version === 'packed' ? library() : version]),
  );
}

/** Makes the program's folder, as its author has it. */
export function prepare(program: TriedProgram): string {
  const folder = path.join(places, program.name);
  const files: Record<string, string> = {
    ...program.files,
    'vrypt.release.json': JSON.stringify(program.description, null, 2),
  };
  if (program.name === 'vite-front')
    files['browser.mjs'] = readFileSync(path.join(root, 'test/programs/browser.mjs'), 'utf8');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  const manifest = { name: program.name, version: '1.0.0', ...program.manifest, dependencies: dependenciesOf(program) };
  install(folder, manifest, packedLibrary === null ? '' : fileHash(packedLibrary));
  for (const step of program.prepare ?? []) run(step, folder);
  return folder;
}

/** npm installs only what has changed since the last run: the manifest, or `packed`, which identifies a tarball of ours. */
function install(folder: string, manifest: object, packed: string): void {
  const text = JSON.stringify(manifest, null, 2);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), text);
  const stateFile = path.join(folder, 'node_modules/.installed');
  if (existsSync(stateFile) && readFileSync(stateFile, 'utf8') === `${text}${packed}`) return;
  // A tarball of ours has the same name and version whatever is in it, so npm would keep the old one.
  const own = ['node_modules/vrypt-release', 'node_modules/vrypt-server'];
  for (const name of ['package-lock.json', 'node_modules/.package-lock.json', ...own])
    rmSync(path.join(folder, name), { recursive: true, force: true });
  run(['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  mkdirSync(path.dirname(stateFile), { recursive: true });
  writeFileSync(stateFile, `${text}${packed}`);
}

function fileHash(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function run([file = '', ...args]: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0)
    throw new Failure(`${[file, ...args].join(' ')} ended with ${status} in ${cwd}: ${stderr.slice(-800)}`);
}
