/** The command line of `npm run bench -- --web`. */
import { parseArgs } from 'node:util';
import { chosen, coresOf, wholeNumber } from '../option-values.ts';
import { CASES, EXTRAS } from './cases.ts';
import { WEB_SERVERS } from './servers.ts';

export interface WebPlan {
  readonly peers: readonly string[];
  readonly cases: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly starts: number;
  /** What load does not show. */
  readonly extras: readonly string[];
  /** Priority of servers and clients; below 0 requires root. */
  readonly nice: number;
  readonly serverCore: string;
  readonly clientCore: string;
}

export const WEB_HELP = `Measures vrypt-server as a web server and proxy against others, in turn, one worker on one core.

  --peers <list>   of ${WEB_SERVERS.map(({ id }) => id).join(',')} (default: all)
  --cases <list>   of ${CASES.map(({ id }) => id).join(',')}, or none (default: all)
  --rounds <n>     rounds, of which the median counts (default: 5)
  --seconds <n>    length of a case in a round (default: 1)
  --starts <n>     starts for the start-up times (default: 15)
  --extras <list>  of ${EXTRAS.join(',')}, or none (default: all)
  --cores <s>,<c>  core for servers, core for the client and the origin (default: 0,1)
  --nice <n>       priority of servers and clients, below 0 as root (default: 0)
  --help           this
`;

/** Throws an Error with a message for the user; undefined if only help was requested. */
export function webPlanOf(args: readonly string[]): WebPlan | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      ...{ web: flag, peers: text, cases: text, rounds: text, seconds: text, starts: text, cores: text, nice: text },
      ...{ extras: text, help: flag },
    },
  });
  if (values.help) return undefined;
  const caseIds = CASES.map(({ id }) => id);
  return {
    peers: chosen(
      'peers',
      values.peers,
      WEB_SERVERS.map(({ id }) => id),
    ),
    cases: values.cases === 'none' ? [] : chosen('cases', values.cases, caseIds),
    rounds: wholeNumber('rounds', values.rounds, 5, 1, 9999),
    seconds: wholeNumber('seconds', values.seconds, 1, 1, 9999),
    starts: wholeNumber('starts', values.starts, 15, 1, 9999),
    extras: values.extras === 'none' ? [] : chosen('extras', values.extras, EXTRAS),
    nice: Number(values.nice ?? 0),
    ...coresOf(values.cores),
  };
}
