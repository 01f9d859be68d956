/** The machine that packages. */
import { root } from './checkout.ts';
import { UsageError } from './errors.ts';

/** pkg's blob generators are Linux programs for x86_64, and 32-bit ones that are run natively or under QEMU there. */
export function assertBuildHost(platform: string = process.platform, arch: string = process.arch): void {
  if (platform === 'linux' && arch === 'x64') return;
  throw new UsageError(`packaging requires Linux on x86_64, got ${platform} on ${arch}`);
}

/** A colon ends an entry of the PATH, on which npm puts this folder; the others are lost on the way through scripts. */
export function assertPath(folder: string = root): void {
  if (!/[\n\\:]/.test(folder)) return;
  throw new UsageError(`the checkout's path must have no newline, backslash or colon, got ${JSON.stringify(folder)}`);
}
