import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { variableOf } from '../../src/cli/options.ts';
import { OTHER_VARIABLES, warnOfVariables } from '../../src/cli/own-variables.ts';
import { OPTION_VARIABLES } from '../../src/cli/plain-settings.ts';
import type { Environment } from '../../src/cli/process-io.ts';
import { ServerProcess } from './server-process.ts';

function warnings(environment: Environment, takesOthers = false): string {
  let said = '';
  const printError = (text: string) => {
    said += text;
  };
  const build = { version: '', commit: '', targets: {} };
  warnOfVariables({ args: [], environment, build, print: () => null, printError }, takesOthers);
  return said;
}

describe('a variable that sets no option', () => {
  test('is named, with the one that may have been meant', () => {
    expect(warnings({ VRYPT_IDLE_TIMOUT: '1s', VRYPT_LOGLEVEL: 'debug', PATH: '/bin' })).toBe(
      'vrypt-server: the variable VRYPT_IDLE_TIMOUT sets no option; did you mean VRYPT_IDLE_TIMEOUT?\n' +
        'vrypt-server: the variable VRYPT_LOGLEVEL sets no option; see --help\n',
    );
  });

  test('may be one of a program or a configuration', () => {
    expect(warnings({ VRYPT_LOGLEVEL: 'debug', VRYPT_PROT: '1' }, true)).toBe(
      'vrypt-server: the variable VRYPT_PROT sets no option; did you mean VRYPT_PORT?\n',
    );
  });

  test('may be empty, or come from Kubernetes', () => {
    const pod = {
      VRYPT_PROT: '',
      VRYPT_SERVICE_HOST: '10.0.0.1',
      VRYPT_SERVICE_PORT_HTTP: '80',
      VRYPT_PORT: 'tcp://10.0.0.1:80',
      VRYPT_PORT_80_TCP: 'tcp://10.0.0.1:80',
      VRYPT_PORT_80_TCP_ADDR: '10.0.0.1',
      VRYPT_WEB_PORT: 'tcp://10.0.0.1:80',
      VRYPT_WEB_PORT_80_TCP_PROTO: 'tcp',
    };
    expect(warnings(pod)).toBe('');
    expect(warnings({ VRYPT_STACK: '1' })).toBe('');
  });
});

test('the variables of all commands are known', async () => {
  const rows = (await Promise.all(COMMANDS.map(({ load }) => load()))).flatMap((command) => command.rows);
  const known = new Set([...OPTION_VARIABLES, ...OTHER_VARIABLES]);
  expect(rows.map(variableOf).filter((name) => !known.has(name))).toEqual([]);
  const others = new Set(rows.map(variableOf));
  expect(OTHER_VARIABLES.filter((name) => !others.has(name))).toEqual([]);
});

test('the variables of the process are read from the kernel', async () => {
  const { stderr } = await new ServerProcess(['-p', '80a'], { environment: { VRYPT_WORKRES: '1' } }).ended;
  expect(stderr).toContain('VRYPT_WORKRES sets no option; did you mean VRYPT_WORKERS?');
});
