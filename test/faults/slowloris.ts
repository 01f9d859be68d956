/** Two thousand clients that send their heads as slowly as they can. */
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { DribbleOrders, DribbleReport } from './clients/dribble.ts';
import { measureLatency } from './latency.ts';
import { cpuTime, mebibytes, residentMemory } from './process-facts.ts';
import { finding, milliseconds, note, type Proof } from './proof.ts';

const COUNT = 2000;
const TIMEOUT_MS = 4000;
/** A tick of the clock, and the time to connect and answer all of them. */
const LATE_MS = 1500;

export const slowloris: Proof = {
  title: `${COUNT} connections that dribble a head, one byte every 200 ms, --header-timeout 4s`,
  async run({ command }) {
    const args = ['-p', '0', '-H', '127.0.0.1', '--header-timeout', `${TIMEOUT_MS}ms`, '--max-connections', '5000'];
    const server = await ServerProcess.start(args, { command });
    const { pid, port } = server;
    let client: ClientProcess | null = null;
    try {
      const before = await measureLatency(port, 2000);
      const memory = residentMemory(pid);
      const cpu = cpuTime(pid);
      client = new ClientProcess('dribble', { port, count: COUNT, periodMs: 200 } satisfies DribbleOrders);
      const during = await measureLatency(port, TIMEOUT_MS - 500);
      const grown = residentMemory(pid) - memory;
      const { refused, others, longestMs } = await client.report<DribbleReport>();
      return [
        finding('refused with 408', `${refused} of ${COUNT}, ${others} otherwise`, 'all', refused === COUNT),
        finding(
          'the slowest refusal came after',
          milliseconds(longestMs),
          `≤ ${TIMEOUT_MS + LATE_MS} ms`,
          longestMs <= TIMEOUT_MS + LATE_MS,
        ),
        finding(
          'latency of another client, median before and during',
          `${milliseconds(before.p50)} and ${milliseconds(during.p50)} (p99 ${milliseconds(before.p99)} and ${milliseconds(during.p99)})`,
          'at most twice plus 1 ms',
          during.p50 <= 2 * before.p50 + 1,
        ),
        note('memory for them', mebibytes(grown)),
        note('CPU time for them', milliseconds(cpuTime(pid) - cpu)),
      ];
    } finally {
      await client?.end();
      await server.kill();
    }
  },
};
