/**
 * Two servers that start in the same moment must not both find the port free and then share it. So a server looks and listens
 * while it holds a lock, which dies with the process. Every start takes it, with or without sharing: to look means to bind the
 * port alone for a moment, which would make another server's listening fail.
 */
import type { Transport } from '../engine/transport.ts';

/** Between tries, while another start holds the lock for its 2 ms. */
const RETRY_MS = 3;
/** A holder that is stopped must not stop everybody else. */
const GIVE_UP_MS = 10_000;

/** `place` is a port, or the path of a Unix socket. */
export async function withLock<T>(transport: Transport, place: string, work: () => Promise<T>): Promise<T> {
  const unlock = await lock(transport, place);
  try {
    return await work();
  } finally {
    unlock();
  }
}

async function lock(transport: Transport, place: string): Promise<() => void> {
  const name = `vrypt-server/${place}`;
  for (let end: number | null = null; ; ) {
    const unlock = await transport.tryLock(name);
    if (unlock !== null) return unlock;
    // Not performance.now(): loading its module takes 2 ms and 2 MiB of the start.
    end ??= process.uptime() + GIVE_UP_MS / 1000;
    if (process.uptime() > end) return () => {};
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
