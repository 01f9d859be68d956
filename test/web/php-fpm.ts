/** PHP-FPM: where it is, and one that runs for the tests of a file. */
import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { areInstalled } from '../installed.ts';

/** Debian's program has its version in its name. */
const program =
  readdirSync('/usr/sbin')
    .filter((name) => /^php-fpm\d/.test(name))
    .sort()
    .at(-1) ?? 'php-fpm';

/** null: it is not installed. */
export const PHP_FPM: string | null = areInstalled('PHP-FPM', { [program]: 'php-fpm' }) ? program : null;

/** Writes a configuration into `folder`; `listen` is an address with its port, or the path of a socket. */
export function fpmConfiguration(folder: string, listen: string): string {
  const file = path.join(folder, 'fpm.conf');
  writeFileSync(
    file,
    `
[global]
error_log = ${folder}/fpm.log
daemonize = no
[www]
user = root
group = root
listen = ${listen}
pm = static
pm.max_children = 3
ping.path = /ping
php_admin_value[post_max_size] = 64M
php_admin_value[upload_max_filesize] = 64M
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
`,
  );
  return file;
}

/** Resolves when it listens, with what ends it. */
export async function startFpm(folder: string, listen: string): Promise<() => Promise<void>> {
  const args = ['-F', '-R', '-O', '-y', fpmConfiguration(folder, listen)];
  const fpm = spawn(PHP_FPM as string, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => fpm.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    fpm.stderr.on('data', (data) => {
      said += data;
      if (said.includes('ready to handle connections')) resolve();
    });
    fpm.once('error', reject);
    void ended.then(() => reject(new Error(said)));
  });
  return () => {
    fpm.kill('SIGTERM');
    return ended;
  };
}
