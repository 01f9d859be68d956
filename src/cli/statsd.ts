/** Pushes requests per second by UDP, as a StatsD gauge: `vrypt.rps:<n>|g`. Owns its socket and its timer. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { HostAndPort } from './rules.ts';

const PERIOD_MS = 1000;

/** `requests` gives the answers of each worker so far, modulo 2^32. Returns what stops it. */
export function startStatsd(target: HostAndPort, requests: () => number[]): () => void {
  const socket = createSocket(isIPv6(target.host) ? 'udp6' : 'udp4');
  // Nobody has to listen there, and we don't wait for it.
  socket.on('error', () => {});
  socket.unref();
  let last = requests();
  let lastTime = performance.now();
  const timer = setInterval(() => {
    const now = requests();
    const time = performance.now();
    let count = 0;
    for (const [worker, value] of now.entries()) count += (value - (last[worker] as number)) >>> 0;
    const rate = Math.round((count * 1000) / (time - lastTime));
    last = now;
    lastTime = time;
    socket.send(`vrypt.rps:${rate}|g`, target.port, target.host, () => {});
  }, PERIOD_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    socket.close();
  };
}
