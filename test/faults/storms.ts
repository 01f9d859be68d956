/** Resets, vanishing and half-closed clients, single bytes, and a flood of unread answers: the server stays small and serves. */
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { FloodEnd, FloodOrders, FloodReport } from './clients/flood.ts';
import type { StormKind, StormOrders, StormReport } from './clients/storm.ts';
import { isServed } from './latency.ts';
import { mebibytes, residentMemory } from './process-facts.ts';
import { type Finding, finding, type Proof, sleep } from './proof.ts';

const STORM_MS = 4000;
const FLOOD_OCTETS = 100_000_000;
/** Growth that all storms together may leave behind. */
const GROWTH = 48 * 1024 ** 2;

const STORMS: readonly (readonly [StormKind, string])[] = [
  ['reset', 'connections reset by the client, half of them within a request'],
  ['vanish', 'connections that vanish at once'],
  ['halfOpen', 'half-closed clients, answered'],
  ['singleBytes', 'connections with 10 requests, one byte per segment'],
  ['singleChunks', 'requests of 10,000 chunks of one byte'],
];

export const storms: Proof = {
  title: 'storms of misbehavior, and 100 MB of pipelined requests whose answers are not read',
  async run({ command }) {
    const args = ['-p', '0', '-H', '127.0.0.1', '--max-connections', '5000', '--max-requests', '0'];
    const server = await ServerProcess.start(args, { command });
    const { pid, port } = server;
    const findings: Finding[] = [];
    try {
      // What is loaded and compiled for the first requests does not count as growth.
      await storm({ port, kind: 'halfOpen', ms: 1500 });
      const before = residentMemory(pid);
      for (const [kind, what] of STORMS) {
        const { count, missing } = await storm({ port, kind, ms: STORM_MS });
        const figure = `${count} in ${STORM_MS / 1000} s, ${missing} answers missing, ${mebibytes(residentMemory(pid))}`;
        findings.push(finding(what, figure, 'none missing, alive', missing === 0 && !server.hasEnded));
      }
      findings.push(...(await flood(pid, port)));
      await sleep(1000);
      const growth = residentMemory(pid) - before;
      findings.push(
        finding('memory that all of it left behind', mebibytes(growth), `≤ ${mebibytes(GROWTH)}`, growth <= GROWTH),
      );
      const served = await isServed(port, 2000);
      findings.push(finding('served afterwards', served ? 'yes' : 'no', 'yes', served));
      return findings;
    } finally {
      await server.kill();
    }
  },
};

async function storm(orders: StormOrders): Promise<StormReport> {
  const client = new ClientProcess('storm', orders);
  try {
    return await client.report<StormReport>();
  } finally {
    await client.end();
  }
}

async function flood(pid: number, port: number): Promise<Finding[]> {
  const before = residentMemory(pid);
  const client = new ClientProcess('flood', { port, bytes: FLOOD_OCTETS } satisfies FloodOrders);
  try {
    const { takenUnread } = await client.report<FloodReport>();
    const growth = residentMemory(pid) - before;
    client.tell('read');
    const { requests, answers } = await client.report<FloodEnd>();
    const mb = (takenUnread / 1e6).toFixed(1);
    return [
      finding(
        '100 MB of requests, answers not read: accepted before the server stopped reading, its growth',
        `${mb} MB, ${mebibytes(growth)}`,
        '≤ 8 MiB',
        growth <= 8 * 1024 ** 2 && takenUnread < FLOOD_OCTETS,
      ),
      finding('answered once answers are read', `${answers} of ${requests}`, 'all', answers === requests),
    ];
  } finally {
    await client.end();
  }
}
