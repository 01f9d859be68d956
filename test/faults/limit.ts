/** More connections than the server allows, and more than the kernel allows it. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { HoldOrders, HoldReport } from './clients/hold.ts';
import { isServed } from './latency.ts';
import { cpuTime } from './process-facts.ts';
import { type Finding, finding, note, type Proof, type ProofContext, sleep } from './proof.ts';

const WATCHED_MS = 2000;
const RECOVERY_MS = 1000;

export const limit: Proof = {
  title: 'accepts beyond --max-connections and beyond the open files',
  async run(context) {
    return [
      ...(await beyondConnections(context)),
      ...(await beyondFiles(context, 1)),
      ...(await beyondFiles(context, 2)),
    ];
  },
};

/** Exactly as many are served as the server says will fit. */
async function beyondConnections({ command }: ProofContext): Promise<Finding[]> {
  const limited = ['sh', '-c', 'ulimit -n 200; exec "$0" "$@"', ...command];
  const args = ['-p', '0', '-H', '127.0.0.1', '-w', '2', '--idle-timeout', '10m'];
  const server = await ServerProcess.start(args, { command: limited });
  const orders: HoldOrders = { port: server.port, count: 1000, asks: true };
  const client = new ClientProcess('hold', orders);
  try {
    const held = await client.report<HoldReport>();
    const fitting = Number(/allows (\d+) connections/.exec(server.stderr)?.[1]);
    const cpu = await cpuShare(server.pid);
    client.tell('leave');
    await client.report();
    const recovery = await recoveryOf(server.port);
    const { open, refused, closed } = held;
    return [
      finding(
        '1000 clients, ulimit -n 200: served, refused with 503, closed',
        `${open}, ${refused}, ${closed}`,
        `${fitting} served, every other one refused or closed`,
        open === fitting && open + refused + closed === 1000,
      ),
      finding('CPU while saturated', `${cpu.toFixed(1)} % of a core`, '≤ 5 %', cpu <= 5),
      recovery,
    ];
  } finally {
    await client.end();
    await server.kill();
  }
}

/** The limit is lowered while it runs, so that accept itself fails with EMFILE. */
async function beyondFiles({ command }: ProofContext, workers: number): Promise<Finding[]> {
  const args = ['-p', '0', '-H', '127.0.0.1', '-w', `${workers}`, '--idle-timeout', '10m', '--max-connections', '5000'];
  const server = await ServerProcess.start(args, { command });
  const { pid, port } = server;
  const first = new ClientProcess('hold', { port, count: 20, asks: true } satisfies HoldOrders);
  let second: ClientProcess | null = null;
  try {
    await first.report();
    const open = readdirSync(`/proc/${pid}/fd`).length;
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${open + 10}:20000`]);
    second = new ClientProcess('hold', { port, count: 500, asks: true } satisfies HoldOrders);
    const beyond = await Promise.race([second.report<HoldReport>(), sleep(5000)]);
    const cpu = await cpuShare(pid);
    second.tell('leave');
    await sleep(200);
    first.tell('leave');
    const kept = await first.report<HoldReport>();
    const recovery = await recoveryOf(port);
    const share = `${cpu.toFixed(1)} % of a core`;
    const figure = beyond
      ? `${beyond.open} served, ${beyond.closed} closed at once, the 20 before them: ${kept.open} kept`
      : `waiting, the 20 before them: ${kept.open} kept`;
    return [
      finding(`500 clients, 10 descriptors left (EMFILE), workers: ${workers}`, figure, '20 kept', kept.open === 20),
      workers === 1
        ? finding('CPU while out of descriptors', share, '≤ 5 %', cpu <= 5)
        : // libuv keeps a spare descriptor for each event loop, to accept connections with and close them. When two loops run out
          // at the same moment, one may lose its spare to the other; it then polls until a descriptor is free.
          note('CPU while out of descriptors', share),
      recovery,
    ];
  } finally {
    await first.end();
    await second?.end();
    await server.kill();
  }
}

async function cpuShare(pid: number): Promise<number> {
  await sleep(500);
  const before = cpuTime(pid);
  await sleep(WATCHED_MS);
  return ((cpuTime(pid) - before) * 100) / WATCHED_MS;
}

async function recoveryOf(port: number): Promise<Finding> {
  const start = performance.now();
  const served = await isServed(port, 10 * RECOVERY_MS);
  const ms = performance.now() - start;
  const figure = served ? `after ${ms.toFixed(0)} ms` : 'never';
  return finding('serves again after they have left', figure, `within ${RECOVERY_MS} ms`, served && ms <= RECOVERY_MS);
}
