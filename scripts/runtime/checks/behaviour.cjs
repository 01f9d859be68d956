/**
 * Run by the runtime itself, in a root folder with nothing else in it (but its C library): uses everything that a server
 * needs of Node. Prints one line of JSON: the names of what works, and what does not with the reason.
 */
const assert = require('node:assert');
const crypto = require('node:crypto');
const http = require('node:http');
const http2 = require('node:http2');
const net = require('node:net');
const tls = require('node:tls');
const zlib = require('node:zlib');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');

const checks = {
  versions() {
    const { node, v8, uv, openssl, zlib, brotli, zstd, nghttp2, llhttp, icu, unicode, sqlite, ngtcp2, nghttp3 } =
      process.versions;
    const all = [node, v8, uv, openssl, zlib, brotli, zstd, nghttp2, llhttp, icu, unicode, sqlite, ngtcp2, nghttp3];
    for (const version of all) assert.match(version, /^\d+\.\d/);
    assert.strictEqual(process.features.inspector, false);
  },
  'Unicode and English'() {
    assert.match('é', /^[$_\p{ID_Start}]$/u);
    assert.match('👩‍👩‍👧', /^\p{RGI_Emoji}$/v);
    assert.strictEqual('é'.normalize('NFD').length, 2);
    assert.deepStrictEqual(['z', 'ä', 'a', 'Z'].sort(new Intl.Collator('en').compare), ['a', 'ä', 'z', 'Z']);
    assert.strictEqual('a2'.localeCompare('a10', 'en', { numeric: true }), -1);
    assert.strictEqual((1234567.891).toLocaleString('en'), '1,234,567.891');
    assert.strictEqual((0.25).toLocaleString('en', { style: 'percent' }), '25%');
    const date = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'long', timeZone: 'Europe/Berlin' });
    assert.strictEqual(date.format(0), 'Thursday, January 1, 1970 at 1:00:00 AM GMT+1');
    assert.strictEqual([...new Intl.Segmenter('en').segment('👩‍👩‍👧e\u0301')].length, 2);
    assert.strictEqual(new Intl.PluralRules('en', { type: 'ordinal' }).select(22), 'two');
    assert.strictEqual(new Intl.ListFormat('en').format(['a', 'b', 'c']), 'a, b, and c');
    assert.strictEqual(new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(-1, 'day'), 'yesterday');
    assert.strictEqual('I'.toLocaleLowerCase('tr'), 'ı');
    assert.strictEqual(new TextDecoder('utf-16be').decode(new Uint8Array([0, 65])), 'A');
    assert.strictEqual(new URL('http://bücher.example').hostname, 'xn--bcher-kva.example');
  },
  'English and no other language without its data': () =>
    assert.deepStrictEqual(Intl.NumberFormat.supportedLocalesOf(['de', 'en']), ['en']),
  SQLite() {
    const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(':memory:');
    database.exec('CREATE VIRTUAL TABLE t USING fts5(text); CREATE TABLE n (x)');
    const session = database.createSession({ table: 'n' });
    database.prepare('INSERT INTO t VALUES (?)').run('one two three');
    database.prepare('INSERT INTO n VALUES (?), (?)').run(1, 9);
    assert.strictEqual(database.prepare("SELECT count(*) AS n FROM t WHERE t MATCH 'two'").get().n, 1);
    assert.strictEqual(database.prepare('SELECT percentile(x, 50) AS n, sqrt(9) AS s FROM n').get().n, 5);
    assert.strictEqual(database.prepare("SELECT json_extract('{\"a\":[1,2]}', '$.a[1]') AS n").get().n, 2);
    assert(session.changeset().length >= 0);
    database.close();
  },
  snapshot: () => assert.strictEqual(process.config.variables.node_use_node_snapshot, true),
  'code cache': () => assert.strictEqual(process.config.variables.node_use_node_code_cache, true),
  async 'two workers'() {
    const code =
      'require("worker_threads").parentPort.postMessage(require("crypto").createHash("sha256").update("x").digest("hex"))';
    const workers = [new Worker(code, { eval: true }), new Worker(code, { eval: true })];
    for (const answer of await Promise.all(workers.map((worker) => once(worker, 'message')))) {
      assert.match(answer[0], /^2d711642/);
    }
    await Promise.all(workers.map((worker) => worker.terminate()));
  },
  'deep recursion is an exception, in a worker too': async () => {
    const code = 'let n = 0; (function deep() { n++; deep(); })();';
    assert.throws(() => new Function(code)(), RangeError);
    const worker = new Worker(
      `try { ${code} } catch (error) { require('worker_threads').parentPort.postMessage(error.name); }`,
      { eval: true },
    );
    assert.strictEqual((await once(worker, 'message'))[0], 'RangeError');
  },
  async 'two listeners on one port by reusePort'() {
    const servers = [net.createServer((socket) => socket.end('hi')), net.createServer((socket) => socket.end('hi'))];
    let port = 0;
    for (const server of servers) {
      server.listen({ port, host: '127.0.0.1', reusePort: true });
      await once(server, 'listening');
      port = server.address().port;
    }
    const [data] = await once(net.connect(port, '127.0.0.1'), 'data');
    assert.strictEqual(String(data), 'hi');
    for (const server of servers) server.close();
  },
  async 'http and fetch'() {
    const server = http.createServer((_, response) => response.end('http')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
    assert.strictEqual(await response.text(), 'http');
    server.close();
    server.closeAllConnections();
  },
  async http2() {
    const server = http2.createServer((_, response) => response.end('two')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = http2.connect(`http://127.0.0.1:${server.address().port}`);
    const [data] = await once(session.request({ ':path': '/' }), 'data');
    assert.strictEqual(String(data), 'two');
    session.close();
    server.close();
  },
  'zlib, brotli, zstd'() {
    const text = 'abc'.repeat(1000);
    assert.strictEqual(String(zlib.gunzipSync(zlib.gzipSync(text))), text);
    assert.strictEqual(String(zlib.brotliDecompressSync(zlib.brotliCompressSync(text))), text);
    assert.strictEqual(String(zlib.zstdDecompressSync(zlib.zstdCompressSync(text))), text);
  },
  async WebAssembly() {
    const bytes = [
      0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42,
      11,
    ];
    const { instance } = await WebAssembly.instantiate(new Uint8Array(bytes));
    assert.strictEqual(instance.exports.f(), 42);
  },
  crypto() {
    for (const type of [['ec', { namedCurve: 'P-256' }], ['ed25519'], ['rsa', { modulusLength: 1024 }]]) {
      const { privateKey, publicKey } = crypto.generateKeyPairSync(...type);
      const digest = type[0] === 'ed25519' ? null : 'sha256';
      assert(crypto.verify(digest, 'a', publicKey, crypto.sign(digest, Buffer.from('a'), privateKey)));
    }
    const box = crypto.createCipheriv('chacha20-poly1305', Buffer.alloc(32), Buffer.alloc(12), { authTagLength: 16 });
    assert.strictEqual(box.update('abc').length, 3);
    assert(tls.rootCertificates.length > 100);
  },
  async 'TLS handshake'() {
    // A pre-shared key: a certificate would have to come from a file.
    const psk = Buffer.alloc(32, 7);
    const options = { ciphers: 'PSK+HIGH', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
    const server = tls
      .createServer({ ...options, pskCallback: () => psk }, (socket) => socket.end('tls'))
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = tls.connect({
      ...options,
      port: server.address().port,
      host: '127.0.0.1',
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: 'a' }),
    });
    assert.strictEqual(String((await once(client, 'data'))[0]), 'tls');
    server.close();
  },
  'ES modules': async () => assert.strictEqual(typeof (await import('node:fs/promises')).readFile, 'function'),
  'optimising compilers': () => {
    let sum = 0;
    for (let index = 0; index < 1e7; index++) sum = (sum + index) % 1000003;
    let float = 0;
    for (let index = 1; index < 1e6; index++) float += Math.sqrt(index) / index;
    assert.strictEqual(sum, (((1e7 - 1) * 1e7) / 2) % 1000003);
    assert(Math.abs(float - 1998.5396) < 0.01);
    let big = 1n;
    for (let index = 1n; index <= 60n; index++) big *= index;
    assert.strictEqual(String(big).length, 82);
  },
  'a date after 2038 in local time'() {
    const date = new Date(2 ** 32 * 1000);
    assert.strictEqual(date.toISOString(), '2106-02-07T06:28:16.000Z');
    assert.strictEqual(date.toLocaleString('en', { timeZone: 'America/New_York' }), '2/7/2106, 1:28:16 AM');
  },
  'stack traces': () => assert.match(new Error('x').stack, /behaviour\.cjs:\d+/),
};

(async () => {
  const result = { passed: [], failed: {} };
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      result.passed.push(name);
    } catch (error) {
      result.failed[name] = String(error?.stack ?? error);
    }
  }
  console.log(JSON.stringify(result));
})();
