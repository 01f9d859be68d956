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
    const { node, v8, uv, openssl, zlib, brotli, zstd, nghttp2, llhttp, icu, sqlite } = process.versions;
    for (const version of [node, v8, uv, openssl, zlib, brotli, zstd, nghttp2, llhttp])
      assert.match(version, /^\d+\.\d/);
    assert.strictEqual(icu, undefined);
    assert.strictEqual(sqlite, undefined);
    assert.strictEqual(process.features.inspector, false);
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
  'the clock goes past 2038': () =>
    assert.strictEqual(new Date(2 ** 32 * 1000).toISOString(), '2106-02-07T06:28:16.000Z'),
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
