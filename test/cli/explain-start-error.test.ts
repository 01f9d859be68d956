import { expect, test } from 'vitest';
import { explainStartError } from '../../src/cli/explain-start-error.ts';
import { resolveSettings } from '../../src/cli/settings.ts';

function explain(code: string, typed: Record<string, readonly string[]>): string {
  return explainStartError(Object.assign(new Error('as the system says'), { code }), resolveSettings(typed, {}));
}

const JOINS = '--share joins a running vrypt-server of the same user';
const HELD = 'the program that holds it is not a vrypt-server of the same user, so it cannot be shared';

test.each<[string, Record<string, readonly string[]>, string]>([
  ['EADDRINUSE', { port: ['80'] }, `port 80 is in use (EADDRINUSE); ${JOINS}`],
  ['EADDRINUSE', { host: ['::1'] }, `port 8080 on ::1 is in use (EADDRINUSE); ${JOINS}`],
  ['EADDRINUSE', { share: [''] }, `port 8080 is in use (EADDRINUSE); ${HELD}`],
  ['EADDRINUSE', { unix: ['/x'] }, 'the socket /x is in use (EADDRINUSE); a server already listens there'],
  ['EACCES', { port: ['80'] }, 'port 80 may not be opened by this user (EACCES)'],
  ['EADDRINUSE', { unix: ['/dev/null'] }, 'the socket /dev/null exists and is not a socket'],
  ['EADDRINUSE', { unix: ['/usr'] }, 'the socket /usr exists and is not a socket'],
  // A link to a file.
  ['EADDRINUSE', { unix: ['/proc/self/exe'] }, 'the socket /proc/self/exe exists and is not a socket'],
  ['EACCES', { unix: ['/x'] }, 'the socket /x may not be created by this user (EACCES)'],
  ['EACCES', { unix: ['/no/such/x'] }, 'the socket /no/such/x has no folder /no/such (ENOENT)'],
  ['ENOENT', { unix: ['/no/x'] }, 'the socket /no/x has no folder /no (ENOENT)'],
  ['ENOTDIR', { unix: ['/dev/null/x'] }, 'the socket /dev/null/x has no folder /dev/null (ENOTDIR)'],
  ['EADDRNOTAVAIL', { host: ['192.0.2.1'] }, '--host 192.0.2.1 does not belong to this machine (EADDRNOTAVAIL)'],
  ['EMFILE', {}, 'as the system says'],
])('%s with %j', (code, typed, message) => {
  expect(explain(code, typed)).toBe(message);
});

test('a failed lookup says why', () => {
  const message = 'a.name cannot be looked up: no name server answers (ETIMEOUT)';
  const error = Object.assign(new Error(message), { name: 'LookupError', code: 'ETIMEOUT' });
  expect(explainStartError(error, resolveSettings({ host: ['a.name'] }, {}))).toBe(`--host ${message}`);
});

test('a host that the environment gave is called by its variable', () => {
  const error = Object.assign(new Error('as the system says'), { code: 'EADDRNOTAVAIL' });
  const settings = resolveSettings({}, { VRYPT_HOST: '192.0.2.1' });
  expect(explainStartError(error, settings)).toBe(
    'VRYPT_HOST 192.0.2.1 does not belong to this machine (EADDRNOTAVAIL)',
  );
});

test('advises --share only for commands that have it', () => {
  const { labels, ...settings } = resolveSettings({ port: ['3000'] }, {});
  const error = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
  expect(explainStartError(error, { ...settings, labels: { ...labels, share: null } })).toBe(
    'port 3000 is in use (EADDRINUSE); end the program that holds it, or choose another port',
  );
});
