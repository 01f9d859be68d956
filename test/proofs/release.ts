/** A release that is killed at any moment, runs twice at once, has no network, no room, or may not write. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { copyCheckout } from '../../scripts/commands/repeat.ts';
import { root } from '../../scripts/support/checkout.ts';
import { sha256FileSync } from '../../scripts/support/hash.ts';
import { type Ran, run } from '../../scripts/support/run.ts';
import { mustBe, mustMatch, type Proof } from './proof.ts';

const triple = 'x86_64-unknown-linux-musl';
const kills = 10;

export const release: Proof = {
  title: 'a release that is killed at any moment, runs twice at once, has no network, no room, or may not write',
  needs: { unshare: 'util-linux' },
  asRoot: true,
  async run(check) {
    const folder = mkdtempSync('/var/tmp/vrypt-release-');
    const copy = path.join(folder, 'checkout');
    const node = path.join(copy, path.relative(root, process.execPath));
    const command = [node, 'scripts/release.ts', '--allow-dirty', '--target', triple] as const;
    const releaseAfter = (script: string): Promise<Ran> =>
      run(
        ['unshare', '--mount', '--net', 'sh', '-c', `ip link set lo up; ${script} cd . && exec "$@"`, 'sh', ...command],
        { cwd: copy },
      );
    const again = (): void => rmSync(path.join(copy, 'build/stamps'), { recursive: true, force: true });
    let good = new Map<string, string>();
    let takesMs = 0;
    try {
      await copyCheckout(copy);
      await check('without a network, after --prepare', async () => {
        const prepared = await run([...command, '--prepare'], { cwd: copy });
        mustBe('the exit code of --prepare', `${prepared.code}`, '0');
        const start = performance.now();
        const { code, stderr } = await releaseAfter('');
        if (code !== 0) throw new Error(`it must succeed, got ${code}: ${stderr}`);
        takesMs = performance.now() - start;
        good = hashes(copy);
        return `${good.size} files, ${(takesMs / 1000).toFixed(0)} s`;
      });
      await check(`killed ${kills} times: nothing wrong has a final name, nothing runs on`, async () => {
        for (let kill = 0; kill < kills; kill++) {
          again();
          rmSync(path.join(copy, 'dist'), { recursive: true, force: true });
          const child = spawn(command[0], command.slice(1), { cwd: copy, stdio: 'ignore' });
          const ended = once(child, 'exit');
          await Promise.race([ended, pause((takesMs * (kill + 0.5)) / kills)]);
          child.kill('SIGKILL');
          await ended;
          for (const [file, hash] of hashes(copy))
            mustBe(`${file} after kill ${kill + 1}`, hash, good.get(file) ?? 'no file');
          await pause(1000);
          mustBe('what runs on', processesIn(copy).join(' '), '');
        }
      });
      await check('the next run is right', async () => {
        mustBe('the exit code', (await run(command, { cwd: copy })).code, 0);
        mustBe('dist/', JSON.stringify([...hashes(copy)]), JSON.stringify([...good]));
      });
      await check('two at once are both right', async () => {
        again();
        const codes = (await Promise.all([run(command, { cwd: copy }), run(command, { cwd: copy })])).map(
          ({ code }) => code,
        );
        mustBe('the exit codes', codes, [0, 0]);
        mustBe('dist/', JSON.stringify([...hashes(copy)]), JSON.stringify([...good]));
      });
      for (const [what, script, line] of [
        ['no room in build/', 'mount -t tmpfs -o size=60m tmpfs build;', /ENOSPC|No space left/],
        ['a read-only checkout', 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" &&', /EROFS/],
      ] as const) {
        await check(`${what}: it says so, and dist/ stays`, async () => {
          const { code, stderr } = await releaseAfter(script);
          mustBe('the exit code', code, 1);
          mustMatch('what it says', stderr, line);
          if (/^ {4}at /m.test(stderr)) throw new Error(`it must print no stack, got ${stderr}`);
          mustBe('dist/', JSON.stringify([...hashes(copy)]), JSON.stringify([...good]));
        });
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Of everything with a final name; the report has times. */
function hashes(copy: string): Map<string, string> {
  const dist = path.join(copy, 'dist');
  const files = existsSync(dist) ? readdirSync(dist).sort() : [];
  const final = files.filter((file) => file !== '.partial' && file !== 'report.json');
  return new Map(final.map((file) => [file, sha256FileSync(path.join(dist, file))]));
}

/** Their command names, by the folder in which they work or that is their root. */
function processesIn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const places = ['cwd', 'root'].map((link) => readlinkSync(`/proc/${pid}/${link}`));
        return places.some((place) => place.startsWith(folder)) ? [`${pid} in ${places[0]}`] : [];
      } catch {
        return [];
      }
    });
}
