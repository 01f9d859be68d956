/** Memory of idle servers: just started, with one and more workers, and with thousands of silent connections. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from './options.ts';
import { OURS, type Prepared } from './peers.ts';
import { work } from './places.ts';
import { type Memory, ServerProcesses } from './processes.ts';
import { type MemoryFigure, rounded } from './results.ts';

const PORT = 19_195;
/** Pause after the start and after the last connection, for work that a runtime puts off (ours returns memory after a second). */
const SETTLE_MS = 2500;

export async function measureMemory(
  plan: Plan,
  prepared: ReadonlyMap<string, Prepared>,
  loaded: ReadonlyMap<string, Memory>,
  probe: string,
): Promise<MemoryFigure[]> {
  const figures: MemoryFigure[] = [];
  const cores = `${plan.serverCore},${plan.clientCore}`;
  for (const [server, row] of prepared) {
    const more = server === OURS ? [2, 4] : [2];
    for (const workers of row.lacks?.workers === undefined ? [1, ...more] : [1]) {
      const log = path.join(work, `${server}-memory.log`);
      const processes = await ServerProcesses.start(row.command(PORT, workers), cores, PORT, log);
      await pause(SETTLE_MS);
      const idle = processes.memory();
      const bytes = workers === 1 ? await perConnection(processes, probe, plan.idleConnections) : null;
      figures.push({
        server,
        workers,
        idle,
        loaded: workers === 1 ? (loaded.get(server) ?? null) : null,
        bytesPerConnection: bytes === null ? null : rounded(bytes, 0),
      });
      await processes.stop();
    }
  }
  return figures;
}

/** Null if the server does not accept that many. */
async function perConnection(processes: ServerProcesses, probe: string, connections: number): Promise<number | null> {
  const before = processes.memory().rss;
  const holder = spawn(probe, ['hold', `${processes.port}`, `${connections}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  const count = await firstNumber(holder);
  await pause(SETTLE_MS);
  const after = processes.memory().rss;
  holder.stdin?.end();
  await ended;
  return count < connections ? null : ((after - before) * 1024) / connections;
}

function firstNumber(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.stdout?.once('data', (data) => resolve(Number(String(data))));
    child.once('exit', () => resolve(0));
    child.once('error', () => resolve(0));
  });
}
