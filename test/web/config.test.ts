import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfigText } from '../../src/web/config/read-config.ts';
import type { WebConfig } from '../../src/web/config/web-config.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-config-'));
mkdirSync(path.join(folder, 'public'));
writeFileSync(path.join(folder, 'token'), 'from a file\n');
afterAll(() => rmSync(folder, { recursive: true }));

const context = { directory: folder, environment: { TOKEN: 'from the environment' } };

function good(toml: string): WebConfig {
  const read = readConfigText(toml, 'vrypt.toml', context);
  if (read.kind === 'bad') throw new Error(read.messages.join('\n'));
  return read.config;
}

function bad(toml: string): readonly string[] {
  const read = readConfigText(toml, 'vrypt.toml', context);
  if (read.kind === 'good') throw new Error('the configuration must be refused');
  return read.messages;
}

function sample(name: string): string {
  return readFileSync(new URL(`samples/${name}.toml`, import.meta.url), 'utf8');
}

describe('the samples of the ancestor', () => {
  test('an application with its process, certificates from Cloudflare, and a rotated log', () => {
    const config = good(sample('application'));
    expect(config.server.workers).toBe(4);
    expect(config.listeners).toMatchObject([
      { name: 'http', address: null, port: 8080, isTls: false, redirectsToPort: null },
      { name: 'https', address: null, port: 8443, isTls: true },
    ]);
    expect(config.tls).toMatchObject({
      domains: ['example.com', '*.example.com'],
      selfSigned: true,
      automatic: { kind: 'cloudflare', apiToken: { secret: '…' }, zoneId: '…' },
    });
    expect(config.logging.access).toMatchObject({ path: path.join(folder, 'logs/access.log'), format: 'json' });
    expect(config.logging.rotation).toMatchObject({ maxSize: 100e6, maxBackups: 10, compress: 'gzip' });
    expect(config.sites).toMatchObject([
      {
        hosts: ['app.example.com'],
        isDefault: false,
        routes: [{ action: { kind: 'proxy', backend: 'app.example.com' } }],
      },
    ]);
    expect(config.backends['app.example.com']).toMatchObject({
      appType: 'nodejs',
      upstreams: [{ protocol: 'http', host: 'localhost', port: 3000 }],
      health: { path: '/health' },
      process: {
        command: 'node',
        args: ['server.js'],
        workingDir: '/app',
        port: 3000,
        autoRestart: true,
        env: { NODE_ENV: 'production', PORT: '3000' },
      },
    });
  });

  test('three upstreams with limits, a cache and security', () => {
    const config = good(sample('balanced'));
    expect(config.server).toMatchObject({
      workers: 8,
      isMaxConnectionsSet: true,
      maxUriLength: 8192,
      limits: {
        maxConnections: 100_000,
        idleTimeoutMs: 65_000,
        requestTimeoutMs: 30_000,
        maxBodySize: 10e6,
        maxHeaderSize: 8000,
      },
    });
    expect(config.listeners).toMatchObject([{ port: 8080, isTls: false }]);
    expect(config.backends['api.example.com']).toMatchObject({
      strategy: 'round_robin',
      upstreams: [{ host: 'api1' }, { host: 'api2' }, { host: 'api3', port: 8000, weight: 1 }],
      health: { path: '/health', intervalMs: 10_000 },
      process: null,
    });
    expect(config.sites[0]?.routes[0]?.security).toMatchObject({
      rateLimit: { requests: 1000, perMs: 60_000, burst: 1000, key: 'address' },
      allow: ['192.168.1.0/24'],
      cors: { origins: ['https://example.com'] },
      csrf: { origins: [] },
      headers: [
        ['Strict-Transport-Security', 'max-age=31536000'],
        ['X-Frame-Options', 'DENY'],
        ['X-Content-Type-Options', 'nosniff'],
      ],
    });
  });
});

describe('faults', () => {
  test('are all told, in the order of the file, each with its line, key, rule and value', () => {
    const messages = bad(`[server]
http_prot = 80
workers = 0
keepalive_timeout = "5 parsecs"

[[sites]]
hosts = ["example.com"]
files = "public"

[[sites.routes]]
path = "api/*"
proxy = "http://localhost:3000"

[[sites.routes]]
path = "/b"

[backends."a.example.com"]
url = "http://localhost:1"
strategy = "least_con"
`);
    expect(messages).toEqual([
      'vrypt.toml:2: server.http_prot is not a key; did you mean http_port?',
      'vrypt.toml:3: server.workers must be "auto" or a whole number from 1 to 1024, got 0',
      'vrypt.toml:4: server.keepalive_timeout must be a number of seconds, or a duration with a unit (ms, s, m, h or d), from 1ms to 87600h, got "5 parsecs"',
      'vrypt.toml:11: sites[0].routes[0].path must be a path such as /exact, /prefix/*, *.suffix or *, without escapes: it is compared decoded, got "api/*"',
      'vrypt.toml:14: sites[0].routes[1] must have one of files, proxy, redirect, respond, serve and status, got none of them',
      'vrypt.toml:19: backends."a.example.com".strategy must be one of round_robin, least_conn, ip_hash, random_two, got "least_con"',
    ]);
  });

  test('of shape hide no faults of meaning elsewhere, and bring about none', () => {
    const messages = bad(`[server]
http_prot = 80
http_port = "no"
prot = 1

[[sites]]
fils = "public"

[[sites]]
hosts = ["b.example"]
files = "nowhere"
error_pages = { 404 = "none.html" }

[[sites.routes]]
rewrite = [{ match = "(" }, { match = "(", to = "/x" }]
respond = "x"

[[sites.routes]]
path = "/c"
redirect = "/{pathh}"

[backends.app]
urls = [5]
process = { comand = "node" }

[backends.api]
url = "http://localhost:1"
health_check = "health"
`);
    expect(messages).toEqual([
      'vrypt.toml:2: server.http_prot is not a key; did you mean http_port?',
      'vrypt.toml:3: server.http_port must be a whole number from 0 to 65535, got "no"',
      expect.stringMatching(/^vrypt.toml:4: server.prot is not a key; the keys here are host, /),
      'vrypt.toml:7: sites[0].fils is not a key; did you mean files?',
      `vrypt.toml:11: sites[1].files must be a directory, got "nowhere" (${path.join(folder, 'nowhere')}: ENOENT)`,
      expect.stringMatching(
        /^vrypt.toml:12: sites\[1\].error_pages.404 must be a file in the folder of files, or beside/,
      ),
      'vrypt.toml:15: sites[1].routes[0].rewrite[0].to must be given',
      'vrypt.toml:15: sites[1].routes[0].rewrite[1].match must be a regular expression, got "("',
      expect.stringMatching(
        /^vrypt.toml:20: sites\[1\].routes\[1\].redirect must name none but .*got \{pathh\}; did you mean \{path\}\?/,
      ),
      expect.stringMatching(/^vrypt.toml:23: backends.app.urls\[0\] must be .* got 5/),
      'vrypt.toml:24: backends.app.process.comand is not a key; did you mean command?',
      'vrypt.toml:24: backends.app.process.command must be given',
      expect.stringMatching(/^vrypt.toml:28: backends.api.health_check must be a path/),
    ]);
  });

  test('of certificates are told with all others', () => {
    writeFileSync(path.join(folder, 'cert.pem'), 'x');
    const toml = `[ssl]\ncert = "cert.pem"\nkey = "cert.pem"\n[[ssl.certificates]]\ncert = "none.pem"\nkey = "cert.pem"\n[[sites]]\nfiles = "nowhere"\nfoo = 1\n`;
    const judged = { ...context, judgeCertificate: () => 'it is none' };
    const read = readConfigText(toml, 'vrypt.toml', judged);
    expect(read.kind === 'bad' ? read.messages.map((line) => line.slice(0, 45)) : []).toEqual(
      [
        'vrypt.toml:2: ssl.cert cannot be used: it is none',
        'vrypt.toml:5: ssl.certificates[0].cert must be a file',
        'vrypt.toml:8: sites[0].files must be a directory',
        'vrypt.toml:9: sites[0].foo is not a key',
      ].map((line) => expect.stringContaining(line.slice(0, 40))),
    );
  });

  test.each([
    ['a syntax error', '[server]\nhttp_port = \n', /^vrypt.toml:2: must be TOML: /],
    ['nothing to serve', '[server]\n', 'vrypt.toml:1: there must be at least one of sites and backends, got none'],
    [
      'a site that does nothing',
      '[[sites]]\nhosts = ["a.example"]',
      'vrypt.toml:1: sites[0] must have routes, or one of files, proxy, redirect, respond and serve',
    ],
    [
      'a route with two actions',
      '[[sites]]\nfiles = "public"\nrespond = "x"',
      'vrypt.toml:1: sites[0] must have only one of files, proxy, redirect, respond, serve, got files and respond',
    ],
    [
      'a directory that is not there',
      '[[sites]]\nfiles = "pubic"',
      `vrypt.toml:2: sites[0].files must be a directory, got "pubic" (${path.join(folder, 'pubic')}: ENOENT)`,
    ],
    [
      'the name of a backend that is spelled wrong',
      '[backends.api]\nurl = "http://localhost:1"\n[[sites]]\nproxy = "apj"',
      /^vrypt.toml:4: sites\[0\].proxy must be the name of a backend, a URL or a list of URLs, got "apj"; did you mean api\?$/,
    ],
    [
      'a host with two sites',
      '[[sites]]\nhosts = ["a.example"]\nrespond = "1"\n[[sites]]\nhosts = ["A.example"]\nrespond = "2"',
      'vrypt.toml:4: sites[1] must not serve a.example, which sites[0] serves already',
    ],
    [
      'an upstream with a password',
      '[backends."a.b"]\nurl = "http://u:p@localhost"',
      /^vrypt.toml:2: backends."a.b".url must be a URL such as .* without user, query or fragment, got/,
    ],
    [
      'a network that is none',
      '[security]\nip_whitelist = ["10.0.0.0/33"]\n[[sites]]\nrespond = ""',
      'vrypt.toml:2: security.ip_whitelist[0] must be an address or a network such as 192.168.1.0/24, got "10.0.0.0/33"',
    ],
    [
      'credentials for any origin',
      '[security]\nenable_cors = true\ncors_credentials = true\ncors_origins = ["*"]\n[[sites]]\nrespond = ""',
      'vrypt.toml:4: security.cors_origins must be named origins where cors_credentials is true, got ["*"]',
    ],
    [
      'a secret from a variable that is not set',
      '[ssl]\nauto_cert = true\ndomains = ["a.b"]\n[cloudflare]\napi_token = { env = "NONE" }\n[[sites]]\nrespond = ""',
      'vrypt.toml:5: cloudflare.api_token.env must be a variable that is set, got "NONE"',
    ],
    [
      'an unknown key in a table that may also be a number',
      '[security]\nrate_limit = { requests = 3, pr = "1s" }\n[[sites]]\nrespond = ""',
      'vrypt.toml:2: security.rate_limit.pr is not a key; did you mean per?',
    ],
  ])('%s', (_, toml, message) => {
    const [first] = bad(toml);
    if (typeof message === 'string') expect(first).toBe(message);
    else expect(first).toMatch(message);
  });
});

test('secrets come from the environment or a file, and say nothing of themselves', () => {
  const config = good(`
[ssl]
auto_cert = true
domains = ["a.b"]
[cloudflare]
api_token = { env = "TOKEN" }
[backends."a.b"]
url = "http://localhost:1"
process = { command = "node", env = { KEY = { file = "token" } } }
`);
  expect(config.tls?.automatic).toMatchObject({ apiToken: { secret: 'from the environment' } });
  expect(config.backends['a.b']?.process?.env).toEqual({ KEY: { secret: 'from a file' } });
});

test('what a route leaves out is as in its site, and that as in the file', () => {
  const config = good(`
[security]
rate_limit = 60
[security.headers]
x_frame_options = "DENY"
[[sites]]
hosts = ["a.b"]
headers = { set = { X-A = "site", X-B = "site" } }
[sites.security]
ip_blacklist = ["10.0.0.0/8"]
[[sites.routes]]
path = ["/x/*", "/y"]
respond = "hi"
headers = { set = { x-a = "route" } }
security = { rate_limit = 0, headers = { X-Frame-Options = "SAMEORIGIN" } }
`);
  const route = config.sites[0]?.routes[0];
  expect(route).toMatchObject({
    paths: ['/x/*', '/y'],
    headers: {
      set: [
        ['X-B', 'site'],
        ['x-a', 'route'],
      ],
    },
    security: { rateLimit: null, deny: ['10.0.0.0/8'], headers: [['X-Frame-Options', 'SAMEORIGIN']] },
  });
});
