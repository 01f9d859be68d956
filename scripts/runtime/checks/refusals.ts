/**
 * What stops a start before JavaScript: each must be one line on stderr and exit code 1, no dump and no endless wait.
 * Only where the build machine runs the result itself: an emulator lives under the same limits.
 */
import { $ } from 'zx';
import type { Expect } from './expect.ts';
import type { Root } from './root.ts';

/** Where a shell or Python arranges things and then becomes the runtime: `"$@"` is its command line. */
const arrangements: readonly { readonly sentence: string; readonly script: string; readonly says: RegExp }[] = [
  ...[8, 12, 16, 20].map((limit) => ({
    sentence: `with ${limit} descriptors it says that there are too few`,
    script: `ulimit -n ${limit}; exec "$@"`,
    says: /open files are allowed/,
  })),
  {
    sentence: 'with too little address space it says how much it needs',
    script: 'ulimit -v 150000; exec "$@"',
    says: /KiB of address space are allowed/,
  },
  {
    sentence: 'with stdin closed and no /dev/null it says so',
    script: 'exec "$@" <&-',
    says: /stdin, stdout or stderr is closed/,
  },
  {
    sentence: 'where executable memory is refused it says so',
    script: `exec python3 -c 'import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execvp(sys.argv[1], sys.argv[1:])' "$@"`,
    says: /refuses memory that is writable and executable/,
  },
];

export async function checkRefusals(root: Root, expect: Expect): Promise<void> {
  for (const { sentence, script, says } of arrangements) {
    await expectRefusal(expect, sentence, says, ['sh', '-c', script, 'sh', ...root.command('node', ['-p', '1'])]);
  }
  const [chroot, ...rest] = root.command('node', ['-p', '1']);
  // Without root there is no chroot, and no other user whose limit counts only this process.
  if (chroot !== 'chroot') return;
  const alone = ['prlimit', '--nproc=1', chroot, '--userspec=65533:65533', ...rest];
  await expectRefusal(expect, 'where no thread can be made it says so', /refuses another thread/, alone);
}

async function expectRefusal(expect: Expect, sentence: string, says: RegExp, command: string[]): Promise<void> {
  const result = await $({ nothrow: true, quiet: true, timeout: '60s' })`${command}`;
  const lines = result.stderr.trimEnd().split('\n');
  const holds = result.exitCode === 1 && result.stdout === '' && lines.length === 1 && says.test(result.stderr);
  expect(sentence, holds, `exit code ${result.exitCode}: ${result.text()}${result.stderr}`);
}
