/** The machine that packages. */
import { UsageError } from './errors.ts';

/** pkg's blob generators are Linux programs for x86_64, and 32-bit ones that are run natively or under QEMU there. */
export function assertBuildHost(platform: string = process.platform, arch: string = process.arch): void {
  if (platform === 'linux' && arch === 'x64') return;
  throw new UsageError(`packaging requires Linux on x86_64, got ${platform} on ${arch}`);
}
