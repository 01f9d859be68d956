/** Configurations that somebody might write: what is wrong with each, in one line that names it. */
import { expect, test } from 'vitest';
import { readConfigText } from '../../src/web/config/read-config.ts';
import { makeFolder } from './start-web.ts';

const SITE = '[[sites]]\nrespond = "1"\n';
const PHP = '[[sites]]\nproxy = "php"\n[backends.php]\n';

test.each([
  ['nothing', '', 'v.toml:1: there must be at least one of sites and backends, got none'],
  [
    'a table twice',
    `[server]\n[server]\n${SITE}`,
    'v.toml:2: must be TOML: trying to redefine an already defined table or value',
  ],
  [
    'a number that is none',
    `server.http_port = nan\n${SITE}`,
    'v.toml:1: server.http_port must be a whole number from 0 to 65535, got NaN',
  ],
  [
    'infinity',
    `server.workers = inf\n${SITE}`,
    'v.toml:1: server.workers must be "auto" or a whole number from 1 to 1024, got Infinity',
  ],
  [
    'a name of the language',
    `${SITE}[backends.constructor]\nurl = "http://localhost:1"\n`,
    'v.toml:3: backends.constructor must have another name: this one is of the language',
  ],
  [
    'a prototype',
    `${SITE}[backends.__proto__]\nurl = "http://localhost:1"\n`,
    'v.toml:3: backends.__proto__ must have another name: this one is of the language',
  ],
  [
    'port 0 of an upstream',
    '[[sites]]\nproxy = "http://a:0"\n',
    'v.toml:2: sites[0].proxy.urls[0] must be a URL with a port from 1 to 65535, got "http://a:0"',
  ],
  [
    'an escape in a path',
    '[[sites]]\n[[sites.routes]]\npath = "/a%2fb"\nrespond = "1"\n',
    'v.toml:3: sites[0].routes[0].path must be a path such as /exact, /prefix/*, *.suffix or *, without escapes: it is compared decoded, got "/a%2fb"',
  ],
  [
    'PHP by HTTP',
    `${PHP}app_type = "php"\nurl = "http://a"\nroot = "."\n`,
    'v.toml:5: backends.php.url must be a URL such as fastcgi://localhost:9000 or unix:/run/php/php-fpm.sock, without a path, got "http://a"',
  ],
  [
    'PHP without a folder',
    `${PHP}app_type = "php"\nurl = "unix:/x"\n`,
    'v.toml:3: backends.php must have root, the folder of the PHP files, with app_type = "php"',
  ],
  [
    'a folder without PHP',
    `${PHP}url = "http://a"\nroot = "."\n`,
    'v.toml:5: backends.php.root must come with app_type = "php"',
  ],
  [
    'FastCGI with a path',
    '[[sites]]\nproxy = "fastcgi://a:9000/x"\n',
    'v.toml:2: sites[0].proxy.urls[0] must be a URL such as fastcgi://localhost:9000 or unix:/run/php/php-fpm.sock, without a path, got "fastcgi://a:9000/x"',
  ],
  [
    'copies at one socket',
    `${PHP}app_type = "php"\nurl = "unix:/x"\nroot = "."\nprocess = { command = "x", instances = 2 }\n`,
    'v.toml:7: backends.php.process.instances must be 1 with a Unix socket: copies cannot share it',
  ],
  ['an end that is missing', '[server]\nworkers = ', 'v.toml:2: must be TOML: invalid value'],
  [
    'thousands of brackets',
    `x = ${'['.repeat(5000)}${']'.repeat(5000)}\n${SITE}`,
    'v.toml:1: must be TOML: document contains excessively nested structures. aborting.',
  ],
])('%s', (_, toml, said) => {
  const read = readConfigText(toml, 'v.toml', { directory: makeFolder({}), environment: {} });
  expect(read.kind === 'bad' ? read.messages : []).toContain(said);
});

test('a page of errors that there are not is told by its rule', () => {
  const read = readConfigText(`error_pages = { 9xx = "a" }\n${SITE}`, 'v.toml', {
    directory: makeFolder({ a: '' }),
    environment: {},
  });
  expect(read.kind === 'bad' ? read.messages.join() : '').toMatch(/error_pages.9xx must be .*got "9xx"/);
});

test('a byte order mark, line ends of Windows and tabs change nothing', () => {
  for (const toml of [`\ufeff${SITE}`, SITE.replaceAll('\n', '\r\n'), `\t[server]\n\tworkers = 1\n${SITE}`])
    expect(readConfigText(toml, 'v.toml', { directory: '/', environment: {} }).kind).toBe('good');
});
