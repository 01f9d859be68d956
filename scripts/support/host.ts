/** The machine that packages. */
import { UsageError } from './errors.ts';

/** pkg's blob generators are x86_64 and i686 Linux programs. */
export function assertBuildHost(platform: string = process.platform, arch: string = process.arch): void {
  if (platform === 'linux' && arch === 'x64') return;
  throw new UsageError(`packaging requires Linux on x86_64, got ${platform} on ${arch}`);
}
