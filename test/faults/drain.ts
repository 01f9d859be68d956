/** SIGTERM at full load: every request that was accepted is answered. */
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { CheckedOrders, CheckedReport, CheckedStart } from './clients/checked.ts';
import { finding, milliseconds, note, type Proof, quantile, sleep } from './proof.ts';

const RUNS = 20;
const LOADED_MS = 500;

export const drain: Proof = {
  title: `SIGTERM at full load, ${RUNS} times: 64 connections, half of them with 8 requests in flight`,
  async run({ command }) {
    const ends: number[] = [];
    const codes: (number | null)[] = [];
    let answers = 0;
    let failed = 0;
    let wrong = 0;
    let excused = 0;
    for (let i = 0; i < RUNS; i++) {
      const server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1', '-w', '2'], { command });
      const base = { port: server.port, persistent: 32, single: 0, reconnects: false };
      const clients = [1, 8].map((depth) => new ClientProcess('checked', { ...base, depth } satisfies CheckedOrders));
      try {
        await Promise.all(clients.map((client) => client.report<CheckedStart>()));
        await sleep(LOADED_MS);
        const start = performance.now();
        const { code } = await server.stop();
        ends.push(performance.now() - start);
        codes.push(code);
        for (const client of clients) {
          const result = await client.report<CheckedReport>();
          answers += result.answers;
          wrong += result.wrong;
          excused += result.excused;
          failed += Object.values(result.failed).reduce((sum, count) => sum + count, 0);
        }
      } finally {
        for (const client of clients) await client.end();
        if (!server.hasEnded) await server.kill();
      }
    }
    return [
      finding(
        'requests answered, lost, answered wrongly',
        `${answers}, ${failed}, ${wrong}`,
        '0 lost, 0 wrong',
        failed === 0 && wrong === 0 && answers > 0,
      ),
      note('pipelined requests after the last answer, which said Connection: close', String(excused)),
      finding(
        'exit code 0',
        `${codes.filter((code) => code === 0).length} of ${RUNS}`,
        `${RUNS}`,
        codes.every((code) => code === 0),
      ),
      note(
        'from SIGTERM to the exit, median and slowest',
        `${milliseconds(quantile(ends, 0.5))}, ${milliseconds(quantile(ends, 1))}`,
      ),
    ];
  },
};
