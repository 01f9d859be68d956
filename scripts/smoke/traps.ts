/**
 * Sets every closed variable to something harmful: an ordinary Node would run code, write files or stop. What it leaves
 * behind is evidence.
 */
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { closedVariables } from '../program/closed-variables.ts';

export interface Traps {
  readonly env: Readonly<Record<keyof typeof closedVariables, string>>;
  /** The files that were written; there must be none. */
  readonly traces: () => Promise<string[]>;
}

/** `inside` is `folder` as the program sees it. */
export async function setTraps(folder: string, inside: string): Promise<Traps> {
  const traps = path.join(folder, 'traps');
  const seen = (file: string): string => path.posix.join(inside, 'traps', file);
  await mkdir(traps);
  await chmod(traps, 0o777);
  const code = `require('fs').writeFileSync(${JSON.stringify(seen('code-ran'))}, '');`;
  await writeFile(path.join(traps, 'code.cjs'), code);
  await writeFile(path.join(traps, 'openssl.cnf'), 'nodejs_conf = missing_section\nopenssl_conf = missing_section\n');
  const set = await readdir(traps);
  return {
    env: {
      NODE_OPTIONS: `--require=${seen('code.cjs')}`,
      NODE_COMPILE_CACHE: seen('compile-cache'),
      NODE_V8_COVERAGE: seen('coverage'),
      NODE_REDIRECT_WARNINGS: seen('warnings.txt'),
      NODE_ICU_DATA: seen('icu'),
      NODE_REPL_EXTERNAL_MODULE: seen('code.cjs'),
      OPENSSL_CONF: seen('openssl.cnf'),
      OPENSSL_CONF_INCLUDE: seen('.'),
      OPENSSL_ENGINES: seen('engines'),
      OPENSSL_MODULES: seen('modules'),
    },
    traces: async () => (await readdir(traps)).filter((file) => !set.includes(file)),
  };
}
