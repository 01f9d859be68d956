/** What load does not show: memory of clients that wait, and starts. */
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { executable, work } from '../places.ts';
import { ServerProcesses } from '../processes.ts';
import { median } from '../results.ts';
import { say } from '../say.ts';
import type { WebPlan } from './options.ts';
import { OURS, type Place, type Prepared } from './servers.ts';

const run = promisify(execFile);
const PORT = 22_380;
const SETTLE_MS = 2500;
const IDLE = 10_000;
const SOCKETS = 2000;

/** What and how much, as text. */
export async function measureExtras(
  prepared: ReadonlyMap<string, Prepared>,
  place: Place,
  probe: string,
  plan: WebPlan,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (const id of [OURS, 'nginx']) {
    const row = prepared.get(id);
    if (row === undefined || !plan.extras.includes('idle')) continue;
    say(`memory of ${id}`);
    const bytes = await perIdleClient(row, id, probe, plan);
    rows.push([`memory per idle keep-alive client, ${id}`, `${(bytes / 1024).toFixed(1)} KiB`]);
  }
  if (prepared.has(OURS) && plan.extras.includes('web-sockets')) {
    say('memory of proxied WebSockets');
    const bytes = await perWebSocket(plan);
    rows.push([`memory per proxied WebSocket (${SOCKETS})`, `${(bytes / 1024).toFixed(1)} KiB`]);
  }
  if (prepared.has(OURS) && plan.extras.includes('start')) {
    say('starts');
    const toml = path.join(work, 'web/start.toml');
    const plain = `[server]\nhost = "127.0.0.1"\nhttp_port = ${PORT}\nworkers = 1\n[[sites]]\nfiles = "${place.files}"\n`;
    writeFileSync(toml, plain);
    const secure = path.join(work, 'web/start-tls.toml');
    const tls = `[ssl]\ncert = "${place.cert}"\nkey = "${place.key}"\n`;
    writeFileSync(secure, `${plain.replace('workers', `https_port = ${PORT + 1}\nworkers`)}${tls}`);
    for (const [what, file] of [['TOML', toml] as const, ['TOML and TLS', secure] as const]) {
      const { wall, cpu } = await startOf(probe, file, plan.starts);
      rows.push([`start with ${what}, until the first answer`, `${wall.toFixed(1)} ms, CPU ${cpu.toFixed(1)} ms`]);
    }
  }
  return rows;
}

async function perIdleClient({ command }: Prepared, id: string, probe: string, plan: WebPlan): Promise<number> {
  const cores = `${plan.serverCore},${plan.clientCore}`;
  const server = await ServerProcesses.start(command(PORT), cores, PORT, path.join(work, `web-${id}-memory.log`));
  await pause(SETTLE_MS);
  const before = server.memory().rss;
  const holder = spawn(probe, ['hold', `${PORT}`, `${IDLE}`], { stdio: ['pipe', 'pipe', 'ignore'] });
  const held = await new Promise<number>((resolve) => holder.stdout.once('data', (data) => resolve(Number(data))));
  await pause(SETTLE_MS);
  const after = server.memory().rss;
  holder.stdin.end();
  await server.stop();
  return ((after - before) * 1024) / held;
}

/** Each is open from a client through us to an upstream, has said something and heard it, and is silent then. */
async function perWebSocket({ serverCore, clientCore }: WebPlan): Promise<number> {
  const script = path.join(import.meta.dirname, 'web-sockets.ts');
  const upstream = spawn(process.execPath, [script, 'serve', `${PORT + 5}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => upstream.stdout.once('data', resolve));
  const command = [executable, 'proxy', '-q', '-H', '127.0.0.1', '-w', '1', `127.0.0.1:${PORT + 5}`, `${PORT}`];
  const log = path.join(work, 'web-sockets.log');
  const server = await ServerProcesses.start(command, `${serverCore},${clientCore}`, PORT, log);
  await pause(SETTLE_MS);
  const before = server.memory().rss;
  const args = [script, 'hold', `${PORT}`, `${SOCKETS}`];
  const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  await pause(SETTLE_MS);
  const after = server.memory().rss;
  holder.stdin.end();
  await server.stop();
  upstream.kill();
  return ((after - before) * 1024) / SOCKETS;
}

async function startOf(probe: string, file: string, starts: number): Promise<{ wall: number; cpu: number }> {
  const walls: number[] = [];
  const cpus: number[] = [];
  for (let start = -1; start < starts; start++) {
    const { stdout } = await run(probe, ['response', '0-1023', `${PORT}`, executable, 'web', '-q', '-c', file]);
    const [wall = 0, cpu = 0] = stdout.split(' ').map(Number);
    // The first start reads files that are cached for later ones.
    if (start < 0) continue;
    walls.push(wall / 1000);
    cpus.push(cpu / 1000);
  }
  return { wall: median(walls), cpu: median(cpus) };
}
