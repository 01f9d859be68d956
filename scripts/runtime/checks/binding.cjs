/**
 * The linked binding, each function really used: run by the runtime itself, like behaviour.cjs. With an argument: one
 * part that needs a process of its own, seen from outside by checks.ts.
 */
const assert = require('node:assert');
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const { Worker } = require('node:worker_threads');

const vrypt = process.env.VRYPT_ADDON ? require(process.env.VRYPT_ADDON) : process._linkedBinding('vrypt');
const { ENAMETOOLONG, ENOENT, EBADF } = os.constants.errno;

async function pair(t, options) {
  const server = net.createServer().listen(options);
  await once(server, 'listening');
  t.push(server);
  return server;
}

const checks = {
  async 'credentials of the peer of a Unix socket'(t) {
    const server = await pair(t, { path: '\0vrypt-check' });
    const client = net.connect({ path: '\0vrypt-check' });
    const [socket] = await once(server, 'connection');
    const peer = vrypt.peerCredentials(socket._handle.fd);
    assert.deepStrictEqual(peer, { pid: process.pid, uid: process.getuid(), gid: process.getgid() });
    assert.strictEqual(vrypt.peerCredentials(999), -EBADF);
    client.destroy();
    socket.destroy();
  },
  'a datagram that nobody takes is an error, not an exception'() {
    assert.strictEqual(vrypt.sendDatagram('/nobody', 'READY=1'), -ENOENT);
    assert.strictEqual(vrypt.sendDatagram('x'.repeat(200), 'READY=1'), -ENAMETOOLONG);
    assert.strictEqual(vrypt.sendDatagram('', 'READY=1'), -ENAMETOOLONG);
  },
  async 'a deferred listener sees a connection with its first bytes'(t) {
    const server = await pair(t, { port: 0, host: '127.0.0.1' });
    assert.strictEqual(vrypt.deferAccept(server._handle.fd, 5), 0);
    const seen = [];
    server.on('connection', (socket) => seen.push('connection') && socket.on('data', () => socket.destroy()));
    const client = net.connect(server.address().port, '127.0.0.1');
    await once(client, 'connect');
    // Another connection, with bytes at once: when it has been served, the silent one would have been seen too.
    const other = net.connect(server.address().port, '127.0.0.1');
    other.write('x');
    await once(other, 'close');
    assert.deepStrictEqual(seen, ['connection']);
    client.write('x');
    await once(client, 'close');
    assert.deepStrictEqual(seen, ['connection', 'connection']);
  },
  async 'a file goes into a socket by sendfile'(t) {
    const content = crypto.randomBytes(100_000);
    const name = `${__dirname}/sendfile`;
    fs.writeFileSync(name, content);
    const file = fs.openSync(name);
    const server = await pair(t, { port: 0, host: '127.0.0.1' });
    const client = net.connect(server.address().port, '127.0.0.1');
    const [socket] = await once(server, 'connection');
    const received = [];
    client.on('data', (chunk) => received.push(chunk));
    let offset = 0;
    while (offset < content.length) {
      const sent = vrypt.sendFile(socket._handle.fd, file, offset, content.length - offset);
      if (sent > 0) offset += sent;
      else await new Promise(setImmediate);
    }
    socket.end();
    await once(client, 'end');
    assert(Buffer.concat(received).equals(content));
    fs.closeSync(file);
  },
  async 'the binding is there in a worker'() {
    const get = process.env.VRYPT_ADDON
      ? `require(${JSON.stringify(process.env.VRYPT_ADDON)})`
      : "process._linkedBinding('vrypt')";
    const worker = new Worker(`require('worker_threads').parentPort.postMessage(typeof ${get}.exit)`, { eval: true });
    assert.strictEqual((await once(worker, 'message'))[0], 'function');
  },
};

const parts = {
  /** Ends although the thread pool is busy for hours. */
  exit() {
    crypto.pbkdf2('a', 'b', 2 ** 31 - 1, 64, 'sha512', () => {});
    setTimeout(() => vrypt.exit(7), 50);
  },
  /** JavaScript never comes back. */
  overdue() {
    assert.strictEqual(vrypt.exitAfter(10_000, 8), 0);
    assert.strictEqual(vrypt.exitAfter(0, 8), 0);
    assert.strictEqual(vrypt.exitAfter(100, 9), 0);
    for (;;);
  },
  /** As PID 1: the signal comes long before its handler. */
  early() {
    fs.writeSync(1, 'up\n');
    const end = Date.now() + 300;
    while (Date.now() < end);
    process.on('SIGTERM', () => vrypt.exit(fs.writeSync(1, 'kept\n') === 5 ? 0 : 1));
    setTimeout(() => vrypt.exit(1), 5000);
  },
  signals: () => console.log(JSON.stringify(vrypt.inheritedSignals())),
  notify: () => console.log(vrypt.sendDatagram(process.argv[3], 'READY=1\nSTATUS=up')),
  /** A child, the command line that follows, that outlives nobody: its standard output closes when it is gone. */
  death() {
    const [program, ...args] = process.argv.slice(3);
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdout.once('data', () => {
      console.log('up');
      vrypt.exit(0);
    });
  },
  orphan() {
    assert.strictEqual(vrypt.parentDeathSignal(os.constants.signals.SIGKILL), 0);
    console.log('up');
    setInterval(() => {}, 1000);
  },
};

async function all() {
  const result = { passed: [], failed: {} };
  for (const [name, check] of Object.entries(checks)) {
    const opened = [];
    try {
      await check(opened);
      result.passed.push(name);
    } catch (error) {
      result.failed[name] = String(error?.stack ?? error);
    }
    for (const server of opened) server.close();
  }
  console.log(JSON.stringify(result));
  vrypt.exit(0);
}

const part = parts[process.argv[2]];
if (part === undefined) all();
else part();
