/**
 * What a person may ask of `npm run runtime`. Bad input is a value: the line to print before exit code 2.
 */
import { PLATFORMS, type Platform } from './platforms.ts';

export interface Options {
  readonly platforms: readonly Platform[];
  /** `build`, or read and run again what lies in runtimes/. */
  readonly task: 'build' | 'verify' | 'help';
}

export const HELP = `Usage: npm run runtime -- [--target TRIPLE]... [--all] [--verify]

Builds Node from source for our targets, checks the result and puts it into runtimes/<triple>/.

  --target TRIPLE  one of: ${PLATFORMS.map((platform) => platform.triple).join(', ')}; may be repeated
  --all            every one of them
  --verify         build nothing: check again what lies in runtimes/

It is resumable: what is up to date is skipped. Installs the Debian packages it needs when run as root.
About 60 CPU-minutes an architecture, 6 GB of disk a target (build/runtime/, which may be deleted at any time).`;

export function parseOptions(args: readonly string[]): Options | string {
  const wanted = new Set<string>();
  let task: Options['task'] = 'build';
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? '';
    if (argument === '--help') task = 'help';
    else if (argument === '--verify') task = 'verify';
    else if (argument === '--all') for (const platform of PLATFORMS) wanted.add(platform.triple);
    else if (argument === '--target' || argument.startsWith('--target=')) {
      const triple = argument === '--target' ? (args[++index] ?? '') : argument.slice('--target='.length);
      if (!PLATFORMS.some((platform) => platform.triple === triple)) {
        return `--target wants one of ${PLATFORMS.map((platform) => platform.triple).join(', ')}, got "${triple}"`;
      }
      wanted.add(triple);
    } else return `unknown option "${argument}": see --help`;
  }
  if (wanted.size === 0 && task !== 'help') return 'nothing to do: wants --target TRIPLE or --all, got neither';
  return { platforms: PLATFORMS.filter((platform) => wanted.has(platform.triple)), task };
}
