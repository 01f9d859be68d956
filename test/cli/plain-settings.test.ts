import { describe, expect, test } from 'vitest';
import { variableOf } from '../../src/cli/options.ts';
import { OPTION_VARIABLES, plainSettings } from '../../src/cli/plain-settings.ts';
import { withPort } from '../../src/cli/respond.ts';
import { OPTION_ROWS, resolveSettings } from '../../src/cli/settings.ts';

describe('the settings that are written down', () => {
  test.each([[[]], [['0']], [['80']], [['3000']], [['65535']]])('of %j are those of the option rows', (args) => {
    expect(plainSettings(args, {})).toEqual(resolveSettings(withPort({}, args[0]), {}));
  });

  test.each([
    '',
    ' 80',
    '080',
    '80a',
    '8e1',
    '0x50',
    '-0',
    '-1',
    '1.5',
    '65536',
    '99999999999999999999',
    'Infinity',
    '--quiet',
    'respond',
    'healthcheck',
  ])('are not for %j', (argument) => {
    expect(plainSettings([argument], {})).toBeNull();
  });

  test('are not for two arguments', () => {
    expect(plainSettings(['80', '--share'], {})).toBeNull();
  });

  test('are not for an environment that sets an option, even to nothing', () => {
    for (const name of OPTION_VARIABLES) {
      expect(plainSettings([], { [name]: '1' })).toBeNull();
      expect(plainSettings([], { [name]: '' })).toBeNull();
    }
    expect(plainSettings([], { PATH: '/bin', VRYPT_TIMEOUT: '1s' })).not.toBeNull();
  });

  test('know the variables of all options', () => {
    expect(OPTION_VARIABLES).toEqual(expect.arrayContaining(OPTION_ROWS.map(variableOf)));
  });
});
