/** The rounds of load: every server in turn in every mode, so that noise affects all of them alike. */
import path from 'node:path';
import { load, type Sample } from './load.ts';
import { MODES, type Mode, type ModeId } from './modes.ts';
import type { Plan } from './options.ts';
import { OURS, type Prepared } from './peers.ts';
import { work } from './places.ts';
import { type Memory, ServerProcesses } from './processes.ts';
import type { Rounds } from './results.ts';
import { say } from './say.ts';

export interface Loaded {
  readonly rounds: Rounds;
  /** Memory of each server after the plain mode. */
  readonly loaded: ReadonlyMap<string, Memory>;
}

interface Entry {
  readonly server: string;
  readonly mode: Mode & { id: ModeId };
  readonly processes: ServerProcesses;
  /** The same server with one worker. */
  readonly plainProcesses: ServerProcesses | undefined;
}

const PLAIN: Mode = MODES[0];

/** First port; every process group has its own. */
const PORTS = 19_200;

export async function runRounds(plan: Plan, prepared: ReadonlyMap<string, Prepared>): Promise<Loaded> {
  const modes = MODES.filter((mode) => plan.modes.includes(mode.id));
  const entries: Entry[] = [];
  const started = new Map<string, ServerProcesses>();
  for (const mode of modes) {
    for (const [server, row] of prepared) {
      if (row.lacks?.[mode.id] !== undefined) continue;
      const key = `${server}-${mode.workers}`;
      let processes = started.get(key);
      if (processes === undefined) {
        const port = PORTS + started.size;
        const log = path.join(work, `${key}.log`);
        processes = await ServerProcesses.start(row.command(port, mode.workers), plan.serverCore, port, log, plan.nice);
        started.set(key, processes);
      }
      entries.push({ server, mode, processes, plainProcesses: started.get(`${server}-1`) });
    }
  }
  say(`warming up ${started.size} servers, in every mode`);
  for (const entry of entries) await one(plan, entry);
  const rounds: Rounds[number][] = [];
  for (let round = 0; round < plan.rounds; round++) {
    say(`round ${round + 1} of ${plan.rounds}`);
    const samples: { server: string; mode: string; sample: Sample }[] = [];
    // Every other round runs backwards, so that no server always follows the same one.
    for (const entry of round % 2 === 0 ? entries : entries.toReversed()) {
      samples.push({ server: entry.server, mode: entry.mode.id, sample: await one(plan, entry) });
    }
    rounds.push(samples);
  }
  const loaded = new Map<string, Memory>();
  for (const entry of entries) {
    if (entry.mode.id === 'plain') loaded.set(entry.server, entry.processes.memory());
  }
  await Promise.all([...started.values()].map((processes) => processes.stop()));
  return { rounds, loaded };
}

/** The machine's speed drifts within a round, so a mode that is compared to plain gets its own plain run right before it. */
async function one(plan: Plan, { server, processes, mode, plainProcesses }: Entry): Promise<Sample> {
  const measure = (which: ServerProcesses, what: Mode) => load(which, what, plan.clientCore, plan.seconds);
  if (server !== OURS || !mode.isComparedWithPlain || plainProcesses === undefined) return measure(processes, mode);
  const plain = await measure(plainProcesses, PLAIN);
  return { ...(await measure(processes, mode)), plainMicros: plain.cpuMicros };
}
