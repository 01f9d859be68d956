/**
 * npm packages of a program: one per target, which npm installs only where its `os`, `cpu` and `libc` fit, and a launcher that
 * depends on all of them optionally. Nothing runs when they are installed. Pure.
 */
import { type Entry, tarGz } from '../formats/tar.ts';
import type { PackageFacts } from './package-facts.ts';

export interface NpmTarget {
  readonly cpu: 'x64' | 'ia32' | 'arm' | 'arm64';
  readonly libc: 'glibc' | 'musl';
  /** The oldest glibc; null: static. */
  readonly oldest: string | null;
}

/** Without its scope: `linux-x64-musl`. */
export function npmName({ cpu, libc }: NpmTarget): string {
  return `linux-${cpu}-${libc === 'glibc' ? 'gnu' : 'musl'}`;
}

export function platformPackage(facts: PackageFacts, scope: string, target: NpmTarget): Promise<Buffer> {
  const { name, version, about, texts, executable, time } = facts;
  const manifest = {
    name: `${scope}/${npmName(target)}`,
    version,
    description: `${about.summary}: the executable for Linux on ${target.cpu} with ${target.libc}`,
    ...common(facts),
    os: ['linux'],
    cpu: [target.cpu],
    libc: [target.libc],
    preferUnplugged: true,
  };
  const entries: readonly Entry[] = [
    text('package/package.json', `${JSON.stringify(manifest, null, 2)}\n`),
    text(
      'package/README.md',
      `The executable of [${scope}/cli](https://www.npmjs.com/package/${scope}/cli) for one platform.\n`,
    ),
    text('package/LICENSE', texts.license),
    text('package/THIRD-PARTY-LICENSES.txt', texts.thirdParty),
    { name: `package/bin/${name}`, mode: 0o755, data: executable },
  ];
  return tarGz(entries, time);
}

export function launcherPackage(
  facts: Omit<PackageFacts, 'executable'>,
  scope: string,
  targets: readonly NpmTarget[],
): Promise<Buffer> {
  const { name, version, about, texts, time } = facts;
  const manifest = {
    name: `${scope}/cli`,
    version,
    description: about.summary,
    ...common(facts),
    bin: { [name]: 'launch.js' },
    engines: { node: '>=18' },
    optionalDependencies: Object.fromEntries(targets.map((target) => [`${scope}/${npmName(target)}`, version])),
  };
  const entries: readonly Entry[] = [
    text('package/package.json', `${JSON.stringify(manifest, null, 2)}\n`),
    text('package/README.md', `# ${scope}/cli\n\n${about.summary}\n\n\`\`\`\nnpx ${scope}/cli --help\n\`\`\`\n`),
    text('package/LICENSE', texts.license),
    { name: 'package/launch.js', mode: 0o755, data: Buffer.from(launcher(name, scope)) },
  ];
  return tarGz(entries, time);
}

function common({ about }: Pick<PackageFacts, 'about'>): object {
  return { license: about.license, ...(about.homepage === '' ? {} : { homepage: about.homepage }) };
}

/** CommonJS for any Node. The executable takes the place of Node only as a child, so signals are handed on and its end is ours. */
function launcher(name: string, scope: string): string {
  return `#!/usr/bin/env node
'use strict';
const { spawn } = require('node:child_process');

function find() {
  if (process.platform !== 'linux') fail('runs on Linux only, got ' + process.platform);
  const isGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  for (const libc of isGlibc ? ['gnu', 'musl'] : ['musl']) {
    try {
      return require.resolve('${scope}/linux-' + process.arch + '-' + libc + '/bin/${name}');
    } catch {}
  }
  fail('needs ${scope}/linux-' + process.arch + '-' + (isGlibc ? 'gnu' : 'musl') + ', which npm has not installed (--omit=optional leaves it out)');
}

function fail(reason) {
  console.error('${name}: ' + reason);
  process.exit(1);
}

const child = spawn(find(), process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail('must be able to start, got ' + error.message));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
`;
}

function text(name: string, content: string): Entry {
  return { name, mode: 0o644, data: Buffer.from(content) };
}
