import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { normalPath } from '../../src/web/path-pattern.ts';
import { startWeb } from './start-web.ts';

test('parts of files, and answers that say that nothing has changed, vary by coding as the whole does', async () => {
  const { get } = await startWeb('compression = { min_size = 10 }\n[[sites]]\nfiles = "."', {
    'a.txt': 'text '.repeat(100),
    'b.png': 'x'.repeat(500),
  });
  const gzip = { 'Accept-Encoding': 'gzip' };
  const whole = (await get('/a.txt', { headers: gzip })).headers;
  const part = await get('/a.txt', { headers: { Range: 'bytes=0-3' } });
  expect([part.status, part.text, part.headers['vary']]).toEqual([206, 'text', 'Accept-Encoding']);
  expect(part.headers['content-encoding']).toBe(undefined);
  const tag = String(whole['etag']);
  const same = await get('/a.txt', { headers: { ...gzip, 'If-None-Match': tag } });
  expect([same.status, same.headers['vary'], same.headers['etag']]).toEqual([304, 'Accept-Encoding', tag]);
  expect(same.headers['content-encoding']).toBe(undefined);
  const plain = await get('/b.png', { headers: { Range: 'bytes=0-3' } });
  expect([plain.status, plain.headers['vary']]).toEqual([206, undefined]);
});

describe('hosts', () => {
  const SITES = `
[[sites]]
hosts = ["one.example"]
respond = "one"
[[sites]]
hosts = ["*.example", "two.example"]
respond = "any"
`;

  test('find their site; a name wins over a wildcard, and the port does not matter', async () => {
    const { get } = await startWeb(SITES);
    expect((await get('/', { host: 'one.example' })).text).toBe('one');
    expect((await get('/', { host: 'ONE.example.:81' })).text).toBe('one');
    expect((await get('/', { host: 'deep.er.example' })).text).toBe('any');
  });

  test('that nobody knows are refused with 421, unless there is a default site', async () => {
    const strict = await startWeb(SITES);
    expect((await strict.get('/', { host: 'example' })).status).toBe(421);
    const open = await startWeb(`server.default_site = "one.example"\n${SITES}`);
    expect((await open.get('/', { host: 'example' })).text).toBe('one');
  });
});

describe('routes', () => {
  test('answer in the order of the file, by exact paths, prefixes, suffixes and methods', async () => {
    const { get } = await startWeb(`
[[sites]]
respond = "rest"
[[sites.routes]]
path = "/exact"
respond = "exact"
[[sites.routes]]
path = "/api/*"
methods = ["POST"]
respond = "post"
[[sites.routes]]
path = "/api/*"
respond = "api"
[[sites.routes]]
path = ["*.php", "/cgi*"]
status = 403
`);
    expect((await get('/exact')).text).toBe('exact');
    expect((await get('/exact/')).text).toBe('rest');
    expect((await get('/api/1')).text).toBe('api');
    expect((await get('/api')).text).toBe('api');
    expect((await get('/apis')).text).toBe('rest');
    expect((await get('/api/1', { method: 'POST' })).text).toBe('post');
    expect((await get('/x.php')).status).toBe(403);
    expect((await get('/cgi-bin')).status).toBe(403);
  });

  test.each(['/admin/x', '/%61dmin/x', '//admin/x', '/./admin/x', '/a/../admin/x', '/a/%2e%2e/admin/x', '/admin%2Fx'])(
    'no spelling leads past a route: %s',
    async (target) => {
      const { get } = await startWeb('[[sites]]\nrespond = "open"\n[[sites.routes]]\npath = "/admin/*"\nstatus = 403');
      expect((await get(target)).status).toBe(403);
    },
  );

  test('a path that leads above the root is refused', () => {
    expect(normalPath('/../x')).toBeNull();
    expect(normalPath('/a/..%2f..%2fx')).toBeNull();
    expect(normalPath('/a%00')).toBeNull();
    expect(normalPath('/%ff')).toBeNull();
    expect(normalPath('/100%')).toBe('/100%');
    expect(normalPath('/a//b/.')).toBe('/a/b/');
  });

  test('redirect by template, and never to another host by a path', async () => {
    const { get } = await startWeb(`
[[sites]]
redirect = "https://new.example{uri}"
status = 308
[[sites.routes]]
path = "/local/*"
rewrite = []
redirect = "{path}x"
`);
    expect((await get('/a?b=c')).headers['location']).toBe('https://new.example/a?b=c');
    expect((await get('/a')).status).toBe(308);
    expect((await get('//local/evil')).headers['location']).toBe('/local/evilx');
  });

  test('redirect with the host, its port and the scheme of the request', async () => {
    const { get } = await startWeb(`
[[sites]]
redirect = "{scheme}://{host}/"
[[sites.routes]]
path = "/same"
redirect = "{scheme}://{hostport}/new?{query}"
[[sites.routes]]
path = "/port"
redirect = "https://a.example/{port}"
`);
    const to = async (target: string, host: string) => (await get(target, { host })).headers['location'];
    expect(await to('/', 'A.example:8080')).toBe('http://a.example/');
    expect(await to('/', '[::1]:8080')).toBe('http://[::1]/');
    expect(await to('/same?a=b', 'A.example:8080')).toBe('http://a.example:8080/new?a=b');
    expect(await to('/same', '[::1]:81')).toBe('http://[::1]:81/new?');
    expect(await to('/port', 'a.example:81')).toBe('https://a.example/81');
    expect(await to('/port', 'a.example')).toBe('https://a.example/80');
  });

  test('serve files by paths with repeated slashes, as nginx and Caddy do, and by nothing else that is odd', async () => {
    const { get } = await startWeb(
      '[[sites]]\nfiles = "public"\n[[sites.routes]]\npath = "/app/*"\nfiles = "app"\n[[sites.routes]]\npath = "/public/secret/*"\nstatus = 403',
      { 'public/sub/x.html': 'x', 'public/dir/index.html': 'd', 'public/secret/y': 'y', 'app/a/b.txt': 'b' },
    );
    for (const path of ['/sub//x.html', '//sub/x.html', '///sub///x.html']) expect((await get(path)).text).toBe('x');
    for (const path of ['/app//a/b.txt', '/app/a//b.txt', '//app//a//b.txt']) expect((await get(path)).text).toBe('b');
    // A link that starts with two slashes would lead to another host.
    expect((await get('//dir')).headers['location']).toBe('/dir/');
    for (const path of ['/sub//../../x', '//../x', '/sub//.x', '/sub/x.html/', '//sub%2f%2fx.html/..']) {
      expect([path, [400, 404].includes((await get(path)).status)]).toEqual([path, true]);
    }
  });

  test('rewrite paths for files, and strip a prefix', async () => {
    const { get } = await startWeb(
      `
[[sites]]
[[sites.routes]]
path = "/old/*"
rewrite = [{ match = "^/old/(.*)\\\\.htm$", to = "/$1.html" }]
files = "public"
[[sites.routes]]
path = "/app/*"
strip_prefix = "/app"
files = "public"
`,
      { 'public/a b.html': 'page' },
    );
    expect((await get('/old/a%20b.htm')).text).toBe('page');
    expect((await get('/app/a%20b.html')).text).toBe('page');
    expect((await get('/other')).status).toBe(404);
  });

  test('set, add and remove header fields', async () => {
    const { get } = await startWeb(
      `
[security.headers]
x_frame_options = "DENY"
[[sites]]
files = "public"
headers = { set = { X-A = "1", ETag = "\\"own\\"" }, remove = ["Last-Modified"] }
`,
      { 'public/a.txt': 'a' },
    );
    const { headers } = await get('/a.txt');
    expect(headers).toMatchObject({ 'x-a': '1', 'x-frame-options': 'DENY', etag: '"own"' });
    expect(headers).not.toHaveProperty('last-modified');
    expect((await get('/none')).headers).toMatchObject({ 'x-a': '1', 'x-frame-options': 'DENY' });
  });

  test('answer errors with pages from files, the narrowest first', async () => {
    const { get } = await startWeb(
      '[error_pages]\n4xx = "4xx.html"\n404 = "404.html"\n[[sites]]\nfiles = "public"\n[[sites.routes]]\npath = "/secret"\nstatus = 403',
      { '404.html': '<p>gone', '4xx.html': '<p>no', 'public/a': '' },
    );
    const missing = await get('/none');
    expect(missing).toMatchObject({ status: 404, text: '<p>gone' });
    expect(missing.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(await get('/secret')).toMatchObject({ status: 403, text: '<p>no' });
    expect(await get('/a', { method: 'DELETE' })).toMatchObject({
      status: 405,
      text: '<p>no',
      headers: { allow: 'GET, HEAD' },
    });
  });

  test('find pages for errors and maintenance in the folder that they serve, then beside the configuration', async () => {
    const { get } = await startWeb(
      `[[sites]]
files = "public"
error_pages = { 404 = "404.html", 403 = "/403.html", 405 = "405.html" }
maintenance = { switch_file = "closed", page = "closed.html" }
[[sites.routes]]
path = "/secret"
status = 403
[[sites.routes]]
path = "/app/*"
files = "app"
error_pages = { 404 = "404.html" }
`,
      {
        '404.html': 'beside',
        '405.html': 'beside',
        'public/404.html': 'public',
        'public/403.html': 'secret',
        'public/closed.html': 'closed',
        'public/a': '',
        'app/404.html': 'app',
      },
    );
    expect(await get('/none')).toMatchObject({ status: 404, text: 'public' });
    expect(await get('/secret')).toMatchObject({ status: 403, text: 'secret' });
    expect(await get('/a', { method: 'PUT' })).toMatchObject({ status: 405, text: 'beside' });
    expect(await get('/app/none')).toMatchObject({ status: 404, text: 'app' });
  });

  test('refuse content beyond a limit of their own', async () => {
    const { get } = await startWeb('[[sites]]\nrespond = "ok"\nmax_request_size = "3B"');
    expect((await get('/', { method: 'POST', body: 'abc' })).status).toBe(200);
    expect((await get('/', { method: 'POST', body: 'abcd' })).status).toBe(413);
  });
});

describe('a site', () => {
  test('is closed for maintenance while its file exists, but not for whom it says', async () => {
    const toml = '[[sites]]\nrespond = "open"\nmaintenance = { switch_file = "closed", retry_after = "5m" }';
    const { get, folder, take } = await startWeb(toml);
    expect((await get('/')).text).toBe('open');
    writeFileSync(path.join(folder, 'closed'), '');
    await take(toml);
    expect(await get('/')).toMatchObject({ status: 503, headers: { 'retry-after': '300' } });
    await take(toml.replace('retry_after = "5m"', 'allow = ["127.0.0.0/8"]'));
    expect((await get('/')).text).toBe('open');
    rmSync(path.join(folder, 'closed'));
  });

  test('leads to https and to its name without www, keeping the target', async () => {
    const { get } = await startWeb(`
[server]
http_port = 0
trusted_proxies = ["127.0.0.1"]
[[sites]]
hosts = ["a.example", "www.a.example"]
www = "remove"
respond = "home"
`);
    const { status, headers } = await get('/x?y', { host: 'www.a.example:8080' });
    expect([status, headers['location']]).toEqual([301, 'http://a.example:8080/x?y']);
    const secure = await get('/x', {
      host: 'www.a.example',
      method: 'POST',
      headers: { 'X-Forwarded-Proto': 'https' },
    });
    expect([secure.status, secure.headers['location']]).toEqual([308, 'https://a.example/x']);
    expect((await get('/', { host: 'a.example' })).text).toBe('home');
  });
});

describe('files', () => {
  const BIG = 'All work and no play makes Jack a dull boy.\n'.repeat(200);

  test('are compressed as the client likes it best, and large ones are streamed', async () => {
    const { get } = await startWeb('[[sites]]\nfiles = "."', {
      'a.txt': BIG,
      'small.txt': 'small',
      'large.txt': BIG.repeat(200),
      'a.png': Buffer.alloc(5000),
    });
    const decoders = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync };
    for (const [coding, decode] of Object.entries(decoders)) {
      for (const name of ['a.txt', 'large.txt']) {
        const { headers, bytes } = await get(`/${name}`, {
          headers: { 'Accept-Encoding': `${coding}, identity;q=0.5` },
        });
        expect(headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding' });
        expect(headers['etag']).toMatch(/^W\//);
        expect(decode(bytes).toString()).toBe(name === 'a.txt' ? BIG : BIG.repeat(200));
      }
    }
    const all = { headers: { 'Accept-Encoding': 'gzip;q=0.1, br;q=0.2, zstd' } };
    expect((await get('/a.txt', all)).headers['content-encoding']).toBe('zstd');
    for (const name of ['small.txt', 'a.png']) {
      expect((await get(`/${name}`, all)).headers).not.toHaveProperty('content-encoding');
    }
    const plain = await get('/a.txt');
    expect(plain.headers).not.toHaveProperty('content-encoding');
    expect(plain.headers['vary']).toBe('Accept-Encoding');
    const head = await get('/a.txt', { method: 'HEAD', ...all });
    expect(head.headers).toMatchObject({ 'content-encoding': 'zstd' });
    expect(head.headers).not.toHaveProperty('content-length');
  });

  test('of a kept compressed answer are served anew when the file changes', async () => {
    const { get, folder } = await startWeb('[[sites]]\nfiles = "."', { 'a.txt': BIG });
    const gzip = { headers: { 'Accept-Encoding': 'gzip' } };
    const first = await get('/a.txt', gzip);
    expect((await get('/a.txt', gzip)).bytes).toEqual(first.bytes);
    const tag = String(first.headers['etag']);
    expect((await get('/a.txt', { headers: { ...gzip.headers, 'If-None-Match': tag } })).status).toBe(304);
    writeFileSync(path.join(folder, 'a.txt'), `${BIG}changed`);
    await expect
      .poll(async () => gunzipSync((await get('/a.txt', gzip)).bytes).toString(), { timeout: 10_000 })
      .toBe(`${BIG}changed`);
  });

  test('have Cache-Control by rules, and a fallback for navigation', async () => {
    const { get } = await startWeb(
      `
[[sites]]
files = "."
fallback = "index.html"
immutable = "/assets/*"
cache_control = [{ path = "*.css", value = "max-age=5" }]
`,
      { 'index.html': '<p>app', 'assets/a.js': '1', 'a.css': '' },
    );
    expect((await get('/assets/a.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect((await get('/a.css')).headers['cache-control']).toBe('max-age=5');
    const page = await get('/some/where');
    expect([page.status, page.text, page.headers['cache-control']]).toEqual([200, '<p>app', 'no-cache']);
    expect((await get('/none.js')).status).toBe(404);
  });

  test.each(['/../vrypt.toml', '/%2e%2e/x', '/..%5cx', '/.git/config', '/a.txt%00', '/a.txt/'])(
    'outside of the directory, or hidden, are not served: %s',
    async (target) => {
      const { get } = await startWeb('[[sites]]\nfiles = "public"', {
        'public/a.txt': 'a',
        'public/.git/config': 's',
        x: 's',
      });
      expect([400, 404]).toContain((await get(target)).status);
    },
  );
});

describe('a reload', () => {
  test('opens new listeners, closes those that are gone, and keeps connections', async () => {
    const web = await startWeb('[[listeners]]\nname = "a"\nport = 0\n[[sites]]\nrespond = "1"');
    expect((await web.get('/')).text).toBe('1');
    const two = await web.take(
      '[[listeners]]\nname = "a"\nport = 0\n[[listeners]]\nname = "b"\nport = 0\n[[sites]]\nrespond = "2"',
    );
    const [a, b] = two.config.listeners.map(({ port }) => port);
    expect(a).toBe(web.ports[0]);
    expect((await web.get('/', { port: b as number })).text).toBe('2');
    await web.take('[[listeners]]\nname = "a"\nport = 0\n[[sites]]\nrespond = "3"');
    expect((await web.get('/')).text).toBe('3');
    const gone = async () =>
      web.get('/', { port: b as number }).then(
        () => 'answered',
        (error) => error.code,
      );
    await expect.poll(gone, { timeout: 10_000 }).toBe('ECONNREFUSED');
  });

  test('keeps a listener that has another name now', async () => {
    const web = await startWeb('[[listeners]]\nname = "a"\naddress = "127.0.0.1"\nport = 0\n[[sites]]\nrespond = "1"');
    const [port] = web.ports;
    for (const name of ['a', 'b', 'c']) {
      const toml = `[[listeners]]\nname = "${name}"\naddress = "127.0.0.1"\nport = ${port}\n[[sites]]\nlisteners = ["${name}"]\nrespond = "${name}"`;
      expect((await web.take(toml)).config.listeners.map((one) => one.port)).toEqual([port]);
      expect((await web.get('/')).text).toBe(name);
    }
  });

  test('that cannot listen changes nothing', async () => {
    const other = await startWeb('[[sites]]\nrespond = "other"');
    const web = await startWeb('[[sites]]\nrespond = "1"');
    const taken = `[[listeners]]\nname = "http"\nport = 0\n[[listeners]]\naddress = "127.0.0.1"\nport = ${other.ports[0]}\n[[sites]]\nrespond = "2"`;
    await expect(web.take(taken)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await web.get('/')).text).toBe('1');
  });
});

test('upstreams get the path as it came, behind a prefix that is taken off too, unless it leads elsewhere', async () => {
  const origin = createServer((asked, response) => void response.end(asked.url));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void origin.close().closeAllConnections());
  const { port } = origin.address() as AddressInfo;
  const { get } = await startWeb(`[backends.up]
url = "http://127.0.0.1:${port}"
[[sites]]
proxy = "up"
[[sites.routes]]
path = "/strip/*"
strip_prefix = "/strip"
proxy = "up"
`);
  const urls = async (...paths: string[]) => {
    const got: string[] = [];
    for (const path of paths) got.push((await get(path)).text);
    return got;
  };
  const odd = ['/a//b', '/a%2Fb?c=/d//e', '/http://x/', '/%41', '/a;b'];
  expect(await urls(...odd)).toEqual(odd);
  expect(await urls(...odd.map((path) => `/strip${path}`))).toEqual(odd);
  expect(await urls('/strip', '/strip/', '/stripped')).toEqual(['/', '/', '/stripped']);
  expect(await urls('/strip/a/../b//c', '/strip/a/%2e%2E/b', '/%73trip/a%20b')).toEqual(['/b/c', '/b', '/a%20b']);
});

test('a route refuses more content than it allows, also in chunks', async () => {
  const origin = createServer((asked, response) => {
    asked.resume().on('end', () => response.end('taken'));
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void origin.close().closeAllConnections());
  const { port } = origin.address() as AddressInfo;
  const { get } = await startWeb(
    `[[sites]]\nproxy = "up"\nmax_request_size = "10"\n[backends.up]\nurl = "http://127.0.0.1:${port}"\n`,
  );
  const headers = { 'Transfer-Encoding': 'chunked' };
  expect(await get('/', { method: 'POST', headers, body: '0123456789' })).toMatchObject({ status: 200, text: 'taken' });
  expect((await get('/', { method: 'POST', headers, body: '0123456789a' })).status).toBe(413);
  expect((await get('/', { method: 'POST', body: '0123456789a' })).status).toBe(413);
});
