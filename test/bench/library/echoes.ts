/** One round of WebSocket messages, as a round of load. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Sample } from '../load.ts';
import { sampleOf } from '../load.ts';
import { work } from '../places.ts';
import type { ServerProcesses } from '../processes.ts';

const run = promisify(execFile);
export const sockets: string = path.join(work, 'sockets');

export async function echoes(server: ServerProcesses, core: string, seconds: number): Promise<Sample> {
  const before = server.cpuMicros();
  const { stdout } = await run('taskset', ['-c', core, sockets, 'echo', `${server.port}`, '64', `${seconds}`], {
    timeout: (seconds + 20) * 1000,
  });
  return sampleOf(stdout, server.cpuMicros() - before);
}
