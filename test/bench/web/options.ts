/** The command line of `npm run bench -- --web`. */
import { parseArgs } from 'node:util';
import { CASES } from './cases.ts';
import { WEB_SERVERS } from './servers.ts';

export interface WebPlan {
  readonly peers: readonly string[];
  readonly cases: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly starts: number;
  /** Memory and start too. */
  readonly extras: boolean;
  /** Priority of servers and clients; below 0 requires root. */
  readonly nice: number;
  readonly serverCore: string;
  readonly clientCore: string;
}

export const WEB_HELP = `Measures vrypt-server as a web server and proxy against others, in turn, one worker on one core.

  --peers <list>   of ${WEB_SERVERS.map(({ id }) => id).join(',')} (default: all)
  --cases <list>   of ${CASES.map(({ id }) => id).join(',')} (default: all)
  --rounds <n>     rounds, of which the median counts (default: 5)
  --seconds <n>    length of a case in a round (default: 1)
  --starts <n>     starts for the start-up times (default: 15)
  --no-extras      no memory, no start
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
      ...{ 'no-extras': flag, help: flag },
    },
  });
  if (values.help) return undefined;
  const [serverCore = '', clientCore = ''] = (values.cores ?? '0,1').split(',');
  if (!/^\d+$/.test(serverCore) || !/^\d+$/.test(clientCore)) {
    throw new Error(`--cores must be two core numbers such as 0,1, got ${JSON.stringify(values.cores)}`);
  }
  return {
    peers: chosen(
      'peers',
      values.peers,
      WEB_SERVERS.map(({ id }) => id),
    ),
    cases: chosen(
      'cases',
      values.cases,
      CASES.map(({ id }) => id),
    ),
    rounds: wholeNumber('rounds', values.rounds, 5),
    seconds: wholeNumber('seconds', values.seconds, 1),
    starts: wholeNumber('starts', values.starts, 15),
    extras: !values['no-extras'],
    nice: Number(values.nice ?? 0),
    serverCore,
    clientCore,
  };
}

function chosen(name: string, text: string | undefined, all: readonly string[]): readonly string[] {
  if (text === undefined) return all;
  const list = text.split(',');
  const wrong = list.find((item) => !all.includes(item));
  if (wrong !== undefined)
    throw new Error(`--${name} must name some of ${all.join(', ')}, got ${JSON.stringify(wrong)}`);
  return list;
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new Error(`--${name} must be a whole number from 1 to 9999, got ${JSON.stringify(text)}`);
}
