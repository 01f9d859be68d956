/** The unit of a server, by what the runtime of its target can do. */
import { expect, test } from 'vitest';
import { serviceUnit } from '../../scripts/packaging/units.ts';
import { capabilitiesFrom, capabilitiesOf } from '../../scripts/targets/capabilities.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { facts } from './facts.ts';

const { service } = facts.about;
if (service === undefined) throw new TypeError('the facts must have a service');

const typeOf = (notifies: boolean): string | undefined =>
  /^Type=[^#]*?(?=\nExecStart)/m.exec(serviceUnit(facts.name, facts.about, { ...service, notifies }, '/etc/x'))?.[0];

test('systemd waits for a server that notifies, and watches it; of any other it knows that it was started', () => {
  expect(typeOf(true)).toBe('Type=notify\nWatchdogSec=60');
  expect(typeOf(false)).toBe('Type=exec');
});

test('a runtime has the binding if that was tried when it was built', () => {
  expect(capabilitiesFrom({ checks: ['stripped', 'the linked binding runs'] }).binding).toBe(true);
  expect(capabilitiesFrom({ checks: ['stripped'] }).binding).toBe(false);
  expect(capabilitiesFrom({}).binding).toBe(false);
});

test('every runtime has it', () => {
  const without = readTargets().targets.filter((target) => !capabilitiesOf(target).binding);
  expect(without.map(({ triple }) => triple)).toEqual([]);
});
