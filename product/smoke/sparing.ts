/** What an emulator need not do again: workers together are natively checked, and everywhere by the session's own server. */
import type { Session } from '../../scripts/smoke/session.ts';

/** Options of a further process. Under QEMU a worker takes a second of CPU time to start. */
export function sparing({ product }: Pick<Session, 'product'>): string[] {
  return product.isEmulated ? ['-w', '1'] : [];
}
