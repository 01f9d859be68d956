/** Ten thousand clients of a proxy that send their heads as slowly as they can. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { DribbleOrders, DribbleReport } from './clients/dribble.ts';
import { measureLatency } from './latency.ts';
import { anonymousMemory, cpuTime } from './process-facts.ts';
import { finding, milliseconds, note, type Proof } from './proof.ts';

const COUNT = 10_000;
const TIMEOUT_S = 10;

export const slowProxy: Proof = {
  title: `${COUNT} clients of a proxy that dribble a head, one byte a second, header_timeout ${TIMEOUT_S} s`,
  async run({ command }) {
    let connections = 0;
    const origin = createServer((_request, response) => response.end('1'));
    origin.on('connection', () => connections++);
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-slow-'));
    const { port: originPort } = origin.address() as AddressInfo;
    writeFileSync(
      path.join(folder, 'vrypt.toml'),
      `server = { host = "127.0.0.1", http_port = 0, workers = 1, limits = { header_timeout = ${TIMEOUT_S} } }\nsites = [{ proxy = "http://127.0.0.1:${originPort}" }]\n`,
    );
    const server = await ServerProcess.start(['web'], { command, cwd: folder });
    const { pid, port } = server;
    let client: ClientProcess | null = null;
    try {
      const before = await measureLatency(port, 2000);
      const connectionsBefore = connections;
      const memory = anonymousMemory(pid);
      const cpu = cpuTime(pid);
      client = new ClientProcess('dribble', { port, count: COUNT, periodMs: 1000 } satisfies DribbleOrders);
      const during = await measureLatency(port, TIMEOUT_S * 1000 - 1000);
      const grown = anonymousMemory(pid) - memory;
      const { refused, others, longestMs } = await client.report<DribbleReport>();
      const reached = connections - connectionsBefore;
      return [
        finding('refused with 408', `${refused} of ${COUNT}, ${others} otherwise`, 'all', refused === COUNT),
        finding('their connections to the upstream', `${reached}`, '≤ 1, that of the other client', reached <= 1),
        finding(
          'latency of another client, median before and during',
          `${milliseconds(before.p50)} and ${milliseconds(during.p50)} (p99 ${milliseconds(before.p99)} and ${milliseconds(during.p99)})`,
          'at most twice plus 1 ms',
          during.p50 <= 2 * before.p50 + 1,
        ),
        note('the slowest refusal came after', milliseconds(longestMs)),
        note('memory for each', `${(grown / COUNT / 1024).toFixed(1)} KiB`),
        note('CPU time for them', milliseconds(cpuTime(pid) - cpu)),
      ];
    } finally {
      await client?.end();
      await server.kill();
      origin.close();
      origin.closeAllConnections();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
