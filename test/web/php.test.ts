/** PHP-FPM as an application behind a site, managed and not. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from './free-port.ts';
import { PHP_FPM, startFpm } from './php-fpm.ts';
import { makeFolder, type StartedWeb, startWeb } from './start-web.ts';

const FILES: Record<string, string> = {
  'index.php':
    '<?php echo json_encode(["front" => $_SERVER["REQUEST_URI"], "get" => $_GET, "script" => $_SERVER["SCRIPT_NAME"], "path" => $_SERVER["PATH_INFO"] ?? null]);',
  'server.php': '<?php ksort($_SERVER); echo json_encode($_SERVER);',
  'form.php': '<?php echo json_encode(["post" => $_POST, "raw" => strlen(file_get_contents("php://input"))]);',
  'upload.php':
    '<?php $f = $_FILES["f"]; echo json_encode(["size" => $f["size"], "error" => $f["error"], "sha" => sha1_file($f["tmp_name"])]);',
  'redirect.php': '<?php header("Location: /server.php?to=1"); setcookie("a", "1"); setcookie("b", "2");',
  'big.php': '<?php for ($i = 0; $i < 800; $i++) echo str_repeat(chr(97 + $i % 26), 65536);',
  'sized.php': '<?php header("Content-Length: 5"); echo "12345"; fastcgi_finish_request(); usleep(200000);',
  'fatal.php': '<?php throw new Exception("so it is\nvrypt: not a line");',
  'die.php': '<?php posix_kill(getmypid(), 9);',
  'cut.php': '<?php echo str_repeat("x", 100000); flush(); posix_kill(getmypid(), 9);',
  'sleep.php': '<?php sleep(20);',
  'status.php': '<?php http_response_code((int) $_GET["s"]); if ($_GET["s"] != 204 && $_GET["s"] != 304) echo "text";',
  'auth.php': '<?php echo json_encode([$_SERVER["PHP_AUTH_USER"] ?? null, $_SERVER["PHP_AUTH_PW"] ?? null]);',
  'sub/index.php': '<?php echo "sub";',
  'style.css': 'a {}',
  'uploads/evil.jpg': 'not a picture: <?php echo "EXECUTED";',
  'uploads/evil.php': '<?php echo "EXECUTED";',
  'uploads/picture.png': 'a picture',
  'wp-config.php.bak': '<?php $secret = 1;',
  '.env': 'SECRET=1',
  '.hidden.php': '<?php echo "EXECUTED";',
  'ä ö.php': '<?php echo "umlauts ", $_SERVER["SCRIPT_NAME"];',
};

describe.skipIf(PHP_FPM === null)('PHP-FPM', () => {
  let folder = '';
  let socket = '';
  let stop = async () => {};

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'vrypt-php-'));
    socket = path.join(folder, 'fpm.sock');
    for (const [name, content] of Object.entries(FILES)) {
      mkdirSync(path.dirname(path.join(folder, 'root', name)), { recursive: true });
      writeFileSync(path.join(folder, 'root', name), content);
    }
    writeFileSync(path.join(folder, 'outside.php'), '<?php echo "EXECUTED";');
    symlinkSync('../outside.php', path.join(folder, 'root/link.php'));
    stop = await startFpm(folder, socket);
  }, 60_000);

  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (more = '', around = '') =>
    startWeb(`
${around}
[[sites]]
proxy = "php"
[backends.php]
app_type = "php"
url = "unix:${socket}"
root = "${folder}/root"
no_scripts = ["/uploads/*"]
${more}
`);
  const json = async (web: StartedWeb, target: string, asked = {}) => JSON.parse((await web.get(target, asked)).text);

  test('a program gets the variables of CGI, and no field of a client passes for one of them', async () => {
    const web = await start();
    const got = await json(web, '/server.php/more/of%20it?a=1&b=%20', {
      host: 'example.com:8080',
      headers: { Proxy: 'evil', X_Forwarded_For: '6.6.6.6', 'X-Own': 'yes', Cookie: 'c=d', 'Content-Length': '0' },
    });
    expect(got).toMatchObject({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/server.php/more/of%20it?a=1&b=%20',
      QUERY_STRING: 'a=1&b=%20',
      SCRIPT_NAME: '/server.php',
      SCRIPT_FILENAME: `${folder}/root/server.php`,
      DOCUMENT_ROOT: `${folder}/root`,
      PATH_INFO: '/more/of it',
      SERVER_NAME: 'example.com',
      SERVER_PORT: '8080',
      SERVER_PROTOCOL: 'HTTP/1.1',
      REMOTE_ADDR: '127.0.0.1',
      HTTP_HOST: 'example.com:8080',
      HTTP_X_OWN: 'yes',
      HTTP_COOKIE: 'c=d',
      HTTP_X_FORWARDED_FOR: '127.0.0.1',
    });
    expect(got).not.toHaveProperty('HTTP_PROXY');
    expect(got).not.toHaveProperty('HTTPS');
  });

  test('forms and fields of Authorization arrive', async () => {
    const web = await start();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    expect(await json(web, '/form.php', { method: 'POST', headers, body: 'a=1&b[]=x&b[]=y' })).toEqual({
      post: { a: '1', b: ['x', 'y'] },
      raw: 15,
    });
    expect(await json(web, '/auth.php', { headers: { Authorization: `Basic ${btoa('me:secret')}` } })).toEqual([
      'me',
      'secret',
    ]);
  });

  test('an upload of 20 MB arrives whole', async () => {
    const web = await start();
    const content = randomBytes(20e6);
    const form = new FormData();
    form.set('f', new Blob([content]), 'a.bin');
    const response = await fetch(`http://127.0.0.1:${web.ports[0]}/upload.php`, { method: 'POST', body: form });
    expect(await response.json()).toEqual({
      size: 20e6,
      error: 0,
      sha: createHash('sha1').update(content).digest('hex'),
    });
  });

  test('redirects, statuses and several cookies are passed on', async () => {
    const web = await start();
    const { status, headers } = await web.get('/redirect.php');
    expect([status, headers['location'], headers['set-cookie']]).toEqual([302, '/server.php?to=1', ['a=1', 'b=2']]);
    for (const wanted of [204, 304, 404, 500, 503])
      expect((await web.get(`/status.php?s=${wanted}`)).status, `${wanted}`).toBe(wanted);
  });

  test('HEAD has no content, and the connection goes on', async () => {
    const web = await start('fastcgi_keep_connections = true');
    for (let i = 0; i < 3; i++) {
      const { status, bytes } = await web.get('/server.php', { method: 'HEAD' });
      expect([status, bytes.length]).toEqual([200, 0]);
      expect((await web.get('/style.css')).text).toBe('a {}');
      expect((await web.get('/sub/')).text).toBe('sub');
      expect((await web.get('/sized.php')).text).toBe('12345');
    }
  });

  test('an answer of 50 MB comes whole', async () => {
    const web = await start();
    expect((await web.get('/big.php')).bytes.length).toBe(800 * 65_536);
  });

  test('files are served, and the front controller answers for what is neither', async () => {
    const web = await start();
    expect(await web.get('/style.css')).toMatchObject({ status: 200, text: 'a {}' });
    expect(await json(web, '/2026/11/a-post/?page=2')).toEqual({
      front: '/2026/11/a-post/?page=2',
      get: { page: '2' },
      script: '/index.php',
      path: null,
    });
    expect(await json(web, '/')).toMatchObject({ script: '/index.php' });
    expect(await web.get('/sub?x=1')).toMatchObject({ status: 301, headers: { location: '/sub/?x=1' } });
    expect((await web.get('/sub/')).text).toBe('sub');
    expect((await web.get('/%C3%A4%20%C3%B6.php')).text).toBe('umlauts /ä ö.php');
  });

  test('nothing but a program below the root is run, however the path is written', async () => {
    const web = await start();
    for (const target of [
      '/uploads/evil.jpg',
      '/uploads/evil.jpg/x.php',
      '/uploads/evil.jpg%00.php',
      '/uploads/evil.jpg/.php',
      '/uploads/evil.jpg%2fx.php',
      '/uploads/evil.php',
      '/uploads/evil.php/x',
      '/uploads/EVIL.PHP',
      '/uploads/./evil.php',
      '//uploads//evil.php',
      '/uploads%2fevil.php',
      '/sub/..%2fuploads%2fevil.php',
      '/sub/../uploads/evil.php',
      '/uploads%5cevil.php',
      '/link.php',
      '/link.php/x',
      '/../outside.php',
      '/%2e%2e/outside.php',
      '/..%2foutside.php',
      '/.hidden.php',
      '/server.php%00.jpg',
      '/evil.php\\..\\uploads',
    ]) {
      const { text, headers, status } = await web.get(target);
      // The only text of the file is that of the picture, which nobody runs.
      if (target === '/uploads/evil.jpg')
        expect([headers['content-type'], text]).toEqual(['image/jpeg', FILES['uploads/evil.jpg']]);
      else
        expect([target, status < 500, text.includes('EXECUTED'), text.includes('<?php')]).toEqual([
          target,
          true,
          false,
          false,
        ]);
    }
  });

  test('the text of programs, and of copies of them, is not served', async () => {
    const web = await start('front_controller = ""');
    for (const target of [
      '/wp-config.php.bak',
      '/uploads/evil.php',
      '/.env',
      '/.hidden.php',
      '/index.php.txt',
      '/none.php',
      '/a.phtml',
    ])
      expect([target, (await web.get(target)).status]).toEqual([target, 404]);
    expect((await web.get('/uploads/picture.png')).text).toBe('a picture');
  });

  test('a program that fails is told in the error log, in lines that look like no others', async () => {
    const log = path.join(folder, `error-${process.pid}.log`);
    const web = await start('', `logging.error_log = { path = "${log}" }`);
    expect((await web.get('/fatal.php')).status).toBe(500);
    await expect.poll(() => readFileSync(log, 'utf8'), { timeout: 30_000 }).toContain('PHP Fatal error');
    for (const line of readFileSync(log, 'utf8').trimEnd().split('\n')) expect(line).toMatch(/^(\d{4}-| {4})/);
  });

  test('a process that dies before its answer is 502, and one that dies within it cuts the answer off', async () => {
    const web = await start();
    expect((await web.get('/die.php')).status).toBe(502);
    await expect(web.get('/cut.php')).rejects.toThrow();
    expect((await web.get('/sub/')).text).toBe('sub');
  });

  test('one that takes too long is 504, and nobody there is 502', async () => {
    const web = await start('response_timeout = "300ms"');
    expect((await web.get('/sleep.php')).status).toBe(504);
    const none = await startWeb(`
[[sites]]
proxy = "php"
[backends.php]
app_type = "php"
url = "unix:${folder}/none.sock"
root = "${folder}/root"
`);
    expect((await none.get('/server.php')).status).toBe(502);
  });

  test.each([
    ['a few bytes', 3],
    ['what is kept in memory', 200_000],
    ['what goes to disk', 5_000_000],
  ])('content without a length is kept until it is known: %s', async (_name, size) => {
    const web = await start('', '[server.limits]\nmax_request_size = "8MB"');
    const text = `a=${'x'.repeat(size - 2)}`;
    const folder = makeFolder({ content: text });
    const url = `http://127.0.0.1:${web.ports[0]}/form.php`;
    for (const version of ['--http1.1', '--http2-prior-knowledge']) {
      const args = [version, '-s', '-X', 'POST', '-H', 'Transfer-Encoding: chunked', '-T', `${folder}/content`, url];
      const form = ['-H', 'Content-Type: application/x-www-form-urlencoded'];
      const { stdout } = await promisify(execFile)('curl', [...form, ...args], { maxBuffer: 16 * 1024 * 1024 });
      const { post, raw } = JSON.parse(stdout) as { post: { a: string }; raw: number };
      expect([post.a.length, raw]).toEqual([size - 2, size]);
    }
  });

  test('chunks without content are no content', async () => {
    const web = await start();
    const asked = { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } };
    expect(await json(web, '/form.php', asked)).toEqual({ post: [], raw: 0 });
    expect(await json(web, '/server.php', asked)).not.toHaveProperty('CONTENT_LENGTH');
  });

  test('content without a length beyond the limit is 413, and nothing of it is left behind', async () => {
    const web = await start('', '[server.limits]\nmax_request_size = "1MB"');
    const folder = makeFolder({ content: 'x'.repeat(3_000_000) });
    const url = `http://127.0.0.1:${web.ports[0]}/form.php`;
    const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', 'Transfer-Encoding: chunked'];
    const { stdout } = await promisify(execFile)('curl', [...args, '-T', `${folder}/content`, url]);
    expect(stdout).toBe('413');
    const mine = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
    expect(mine.filter((link) => link.includes('vrypt-server-'))).toEqual([]);
  });

  test('a client that waits for an invitation gets one', async () => {
    const web = await start();
    const url = `http://127.0.0.1:${web.ports[0]}/form.php`;
    const args = ['-sv', '-H', 'Expect: 100-continue', '--expect100-timeout', '20', '-d', 'a=1', url];
    const { stdout, stderr } = await promisify(execFile)('curl', args);
    expect(stderr).toContain('100 Continue');
    expect(JSON.parse(stdout)).toEqual({ post: { a: '1' }, raw: 3 });
  });

  test('its own health page is asked by FastCGI', async () => {
    const web = await start(
      'health_check = "/ping"\nhealth_rise = 1\nhealth_interval = "100ms"',
      'metrics.listen = "127.0.0.1:0"',
    );
    await expect.poll(async () => (await web.get('/sub/')).text, { timeout: 30_000 }).toBe('sub');
    const metrics = await web.get('/metrics', { port: web.ports[1] as number });
    expect(metrics.text).toMatch(/upstream_healthy\{[^}]*\} 1/);
  });

  test('what answers with something else than FastCGI is 502', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\nhello'));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const web = await startWeb(`
[[sites]]
proxy = "fastcgi://127.0.0.1:${port}"
`);
    expect((await web.get('/')).status).toBe(502);
  });
});

/** '' for one that has been closed meanwhile. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
