/** Variables of the environment that look like options and are none: what is spelled wrong would change nothing without a word. */
import { nearest } from '../rules/nearest.ts';
import { readFile } from './kernel-files.ts';
import { OPTION_VARIABLES } from './plain-settings.ts';
import type { Environment, ProcessIO } from './process-io.ts';

const PREFIX = 'VRYPT_';

/** Of the other commands; a test holds them and their option rows together. */
export const OTHER_VARIABLES: readonly string[] = [
  'VRYPT_WATCH',
  'VRYPT_TIMEOUT',
  'VRYPT_CONFIG',
  'VRYPT_PID_FILE',
  'VRYPT_PRINT',
  'VRYPT_FALLBACK',
  'VRYPT_LISTING',
  'VRYPT_DOTFILES',
  'VRYPT_CACHE_CONTROL',
  'VRYPT_STRATEGY',
  'VRYPT_HEALTH_CHECK',
  'VRYPT_RESPONSE_TIMEOUT',
  'VRYPT_BY',
  'VRYPT_MOST',
];

/** Those that no option has: `run` tells where a program fails. */
export const PLAIN_VARIABLES: readonly string[] = ['VRYPT_STACK'];

/** `takesOthers`: programs and configurations have variables of their own, so only what is nearly an option is told. */
export function warnOfVariables({ environment, printError }: ProcessIO, takesOthers: boolean): void {
  for (const name of namesIn(environment)) {
    if (isOfKubernetes(name, environment[name])) continue;
    const known = [...OPTION_VARIABLES, ...OTHER_VARIABLES, ...PLAIN_VARIABLES].filter((one) => one.startsWith(PREFIX));
    if (known.includes(name)) continue;
    const words = known.map((one) => one.slice(PREFIX.length));
    const meant = nearest(name.slice(PREFIX.length), words);
    if (meant === undefined && takesOthers) continue;
    const hint = meant === undefined ? 'see --help' : `did you mean ${PREFIX}${meant}?`;
    printError(`vrypt-server: the variable ${name} sets no option; ${hint}\n`);
  }
}

/** The process' own are read from the kernel: to list them by Node costs 0.4 MiB. */
function namesIn(environment: Environment): string[] {
  const text = environment === process.env ? readFile('/proc/self/environ') : null;
  const names = text === null ? Object.keys(environment) : text.includes(PREFIX) ? namesOf(text) : [];
  return names.filter((name) => name.startsWith(PREFIX) && environment[name] !== '');
}

function namesOf(text: string): string[] {
  return text.split('\0').map((line) => line.split('=', 1)[0] as string);
}

/** In each pod beside a Service whose name starts with "vrypt": VRYPT_SERVICE_HOST, VRYPT_WEB_PORT_80_TCP_ADDR, VRYPT_WEB_PORT=tcp://… */
function isOfKubernetes(name: string, value = ''): boolean {
  return /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) || /^(tcp|udp|sctp):\/\//.test(value);
}
