/** The npm packages as `npm i` takes them from a registry: which platform package comes, and what the launcher does with it. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { program } from '../../scripts/program/program.ts';
import { run } from '../../scripts/support/run.ts';
import { mustBe, mustMatch, type Proof } from './proof.ts';
import { readManifest, released } from './released.ts';

const { name } = program;
const scope = program.npm?.scope ?? '';

export const npm: Proof = {
  title: 'npm i of the packed launcher and platform packages, from a registry',
  needs: { tar: 'tar' },
  asRoot: false,
  async run(check) {
    const { targets, files } = readManifest();
    const packed = [...targets.flatMap((entry) => entry.files), ...files].filter(({ kind }) => kind === 'npm');
    const registry = await startRegistry(
      packed.map(({ file }) => path.join(path.dirname(released('installer')), file)),
    );
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-npm-'));
    const bin = path.join(folder, 'node_modules/.bin', name);
    const install = async (...args: string[]): Promise<void> => {
      rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
      writeFileSync(path.join(folder, 'package.json'), '{ "name": "a", "version": "1.0.0", "private": true }');
      rmSync(path.join(folder, 'package-lock.json'), { force: true });
      const where = ['--registry', registry.url, '--cache', path.join(folder, 'cache'), '--no-audit', '--no-fund'];
      const { code, stdout, stderr } = await run(['npm', 'install', `${scope}/cli`, ...where, ...args], {
        cwd: folder,
      });
      if (code !== 0) throw new Error(`npm install must succeed, got ${code}: ${stdout}${stderr}`);
    };
    const installed = (): string =>
      readdirSync(path.join(folder, 'node_modules', scope))
        .sort()
        .join(' ');
    try {
      await check('this machine gets its own package and no other, and runs no script', async () => {
        await install('--ignore-scripts');
        mustBe('the packages', installed(), 'cli linux-x64-gnu');
        return installed();
      });
      await check('its version is that of the executable', async () => {
        const { stdout } = spawnSync(bin, ['--version'], { encoding: 'utf8' });
        mustMatch('the version', stdout, new RegExp(`^${program.version.replaceAll('.', '\\.')} `));
      });
      await check('it hands on arguments, exit code and output', async () => {
        const { status, stderr } = spawnSync(bin, ['--port', '80a'], { encoding: 'utf8' });
        mustBe('the exit code', status, 2);
        mustMatch('what it says', stderr, /--port must be/);
      });
      await check(
        "it serves, SIGTERM to the launcher drains the server, and its exit code is the launcher's",
        async () => {
          const child = spawn(bin, ['0', '--host', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'inherit'] });
          const [line] = await once(child.stdout, 'data');
          const url = /http:\S+/.exec(String(line))?.[0] ?? '';
          mustBe('the answer', await (await fetch(url)).text(), 'Vrypt');
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          mustBe('the exit code', (await ended)[0], 0);
          await fetch(url).then(
            () => {
              throw new Error('the server must be gone, it answers');
            },
            () => undefined,
          );
        },
      );
      await check('a machine with musl gets the static one', async () => {
        await install('--libc', 'musl', '--os', 'linux', '--cpu', 'x64');
        mustBe('the packages', installed(), 'cli linux-x64-musl');
      });
      await check('without optional packages it says what is missing', async () => {
        await install('--omit', 'optional');
        const { status, stderr } = spawnSync(bin, ['--version'], { encoding: 'utf8' });
        mustBe('the exit code', status, 1);
        mustMatch('what it says', stderr, /needs \S+linux-x64-gnu, which npm has not installed/);
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
      registry.close();
    }
  },
};

/** As much of a registry as npm asks for: what a package's versions are, and their files. */
async function startRegistry(files: readonly string[]): Promise<{ url: string; close: () => void }> {
  const documents = new Map<string, object>();
  const tarballs = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const asked = decodeURIComponent(request.url ?? '/').slice(1);
    const tarball = tarballs.get(asked);
    const document = documents.get(asked);
    if (tarball !== undefined) response.end(tarball);
    else if (document !== undefined)
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(document));
    else response.writeHead(404).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const file of files) {
    const bytes = readFileSync(file);
    const { stdout } = spawnSync('tar', ['-xzOf', file, 'package/package.json'], { encoding: 'utf8' });
    const manifest = JSON.parse(stdout) as { name: string; version: string };
    tarballs.set(path.basename(file), bytes);
    const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
    const dist = { tarball: `${url}/${path.basename(file)}`, integrity };
    const { name: title, version } = manifest;
    documents.set(title, {
      name: title,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, dist } },
    });
  }
  return { url, close: () => void server.close() };
}
