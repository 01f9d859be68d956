/** What ten thousand open, silent connections cost. */
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { HoldOrders, HoldReport } from './clients/hold.ts';
import { measureLatency } from './latency.ts';
import { anonymousMemory, cpuTime, mebibytes } from './process-facts.ts';
import { finding, milliseconds, note, type Proof, sleep } from './proof.ts';

const COUNT = 10_000;
const MEASURED_MS = 3000;

export const idle: Proof = {
  title: `${COUNT} connections held open, each after one answer`,
  async run({ command }) {
    const args = ['-p', '0', '-H', '127.0.0.1', '--idle-timeout', '10m', '--max-connections', '15000'];
    const server = await ServerProcess.start(args, { command });
    const { pid, port } = server;
    let client: ClientProcess | null = null;
    try {
      // Memory is measured only after everything has been loaded and compiled.
      const warming: HoldOrders = { port, count: 500, asks: true };
      client = new ClientProcess('hold', warming);
      await client.report();
      await client.end();
      const before = await measureLatency(port, MEASURED_MS);
      const memoryBefore = anonymousMemory(pid);

      client = new ClientProcess('hold', { port, count: COUNT, asks: true } satisfies HoldOrders);
      const held = await client.report<HoldReport>();
      await sleep(1000);
      const memory = anonymousMemory(pid) - memoryBefore;
      const during = await measureLatency(port, MEASURED_MS);
      const cpuBefore = cpuTime(pid);
      await sleep(2000);
      const cpu = (cpuTime(pid) - cpuBefore) / 20;
      client.tell('leave');
      const left = await client.report<HoldReport>();
      const perConnection = memory / held.open;
      return [
        finding('answered and held', `${left.open} of ${COUNT}`, `${COUNT}`, left.open === COUNT),
        finding(
          'user memory per idle connection',
          `${(perConnection / 1024).toFixed(2)} KiB (${mebibytes(memory)} in all)`,
          '≤ 4 KiB',
          perConnection <= 4096,
        ),
        finding(
          'latency of another client, median before and during',
          `${milliseconds(before.p50)} and ${milliseconds(during.p50)} (p99 ${milliseconds(before.p99)} and ${milliseconds(during.p99)})`,
          'at most twice plus 1 ms',
          during.p50 <= 2 * before.p50 + 1,
        ),
        note('CPU of the server while they are silent', `${cpu.toFixed(1)} % of a core`),
      ];
    } finally {
      await client?.end();
      await server.kill();
    }
  },
};
