/** The command line of the benchmark: from arguments to a plan, or a message that says what is wrong. */
import { parseArgs } from 'node:util';
import { MODES, type ModeId } from './modes.ts';
import { chosen, coresOf, wholeNumber } from './option-values.ts';
import { PEERS } from './peers.ts';

export const EXTRAS = ['start', 'memory'] as const;
export type Extra = (typeof EXTRAS)[number];

export interface Plan {
  readonly peers: readonly string[];
  readonly modes: readonly ModeId[];
  /** What is measured besides load. */
  readonly extras: readonly Extra[];
  readonly rounds: number;
  /** Of each round. */
  readonly seconds: number;
  /** Starts of each program for the start-up times. */
  readonly starts: number;
  readonly idleConnections: number;
  /** Cores for servers and for the client, as taskset writes them. */
  readonly serverCore: string;
  readonly clientCore: string;
  /** Priority of servers and client; below 0 requires root. */
  readonly nice: number;
  /** What else ran on the machine, in words, for the results. */
  readonly note: string;
  /** Replace the committed results by these. */
  readonly commits: boolean;
}

export const HELP = `Measures what a request costs: vrypt-server against its peers, in turn, on one core.

  --peers <list>     of ${PEERS.map((peer) => peer.id).join(',')} (default: all)
  --modes <list>     of ${MODES.map((mode) => mode.id).join(',')} (default: all)
  --extras <list>    of ${EXTRAS.join(',')}, or none (default: all)
  --rounds <n>       rounds of each mode, of which the median counts (default: 7)
  --seconds <n>      length of a round (default: 1)
  --starts <n>       starts for the start-up times (default: 31)
  --idle <n>         idle connections for their memory (default: 10000)
  --cores <s>,<c>    core for servers, core for wrk (default: 0,1)
  --nice <n>         priority of servers and wrk, below 0 as root (default: 0)
  --note <text>      kept with the results
  --quick            two minutes: 2 rounds, no peers from apt
  --commit           writes test/bench/results.json and chart.svg
  --help             this
`;

/** Throws an Error with a message for the user; undefined if only help was requested. */
export function planOf(args: readonly string[]): Plan | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      ...{ peers: text, modes: text, extras: text, rounds: text, seconds: text, starts: text, idle: text },
      ...{ cores: text, nice: text, note: text, quick: flag, commit: flag, help: flag },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  const modeIds = MODES.map((mode) => mode.id);
  const quickModes: ModeId[] = ['plain', 'different', 'pipelined', 'post', 'close'];
  const quickPeers = ['vrypt', 'floor', 'bun', 'node-http'];
  return {
    peers: chosen(
      'peers',
      values.peers,
      PEERS.map((peer) => peer.id),
      quick ? quickPeers : undefined,
    ),
    modes: chosen('modes', values.modes, modeIds, quick ? quickModes : undefined) as ModeId[],
    extras: values.extras === 'none' ? [] : (chosen('extras', values.extras, EXTRAS) as Extra[]),
    rounds: wholeNumber('rounds', values.rounds, quick ? 2 : 7, 1, 1000),
    seconds: wholeNumber('seconds', values.seconds, 1, 1, 3600),
    starts: wholeNumber('starts', values.starts, quick ? 5 : 31, 1, 1000),
    idleConnections: wholeNumber('idle', values.idle, quick ? 2000 : 10_000, 1, 30_000),
    ...coresOf(values.cores),
    nice: wholeNumber('nice', values.nice, 0, -20, 19),
    note: values.note ?? '',
    commits: values.commit,
  };
}
