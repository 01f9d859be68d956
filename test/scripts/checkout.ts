/** As much of a checkout as the toolchain needs, under git, in a temporary folder: faults are planted there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/support/checkout.ts';

export class Checkout {
  readonly folder: string;

  constructor(name = 'vrypt-checkout-') {
    this.folder = mkdtempSync(path.join(tmpdir(), name));
    for (const entry of [
      'scripts',
      'product',
      'LICENSE',
      'vrypt.release.json',
      'package.json',
      'package-lock.json',
      'targets.json',
    ]) {
      cpSync(path.join(root, entry), path.join(this.folder, entry), { recursive: true });
    }
    writeFileSync(path.join(this.folder, '.gitignore'), 'node_modules\nbuild/\ndist/\n');
    symlinkSync(path.join(root, 'node_modules'), path.join(this.folder, 'node_modules'));
    const git = (...args: string[]): Buffer => execFileSync('git', args, { cwd: this.folder });
    git('init', '--quiet');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@localhost', 'commit', '--quiet', '--message=all');
  }

  run(
    script: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): { status: number | null; stdout: string; stderr: string } {
    const options = { cwd: this.folder, encoding: 'utf8', env: { ...process.env, ...env } } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], options);
    return { status, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
