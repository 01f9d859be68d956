/**
 * Plays a server that breaks one promise of the program, named in FAULT; without it keeps those that its tests ask for. It
 * takes the program's options as far as they do.
 */
import { openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

const fault = process.env.FAULT ?? process.argv[2];
const args = process.argv.slice(3);
const has = (...names) => names.some((name) => args.includes(name));
const after = (name, other) => (args.includes(name) ? args[args.indexOf(name) + 1] : other);
const { env } = process;

if (has('--version')) {
  const commit = fault === 'commit' ? 'ffffffffffff' : 'abc';
  const line = has('--json')
    ? JSON.stringify({
        name: fault === 'name' ? 'another' : 'vrypt-server',
        version: '1.0',
        commit,
        target: 'here',
        runtime: fault === 'runtime' ? 'bad' : 'f00',
        versions: process.versions,
      })
    : `1.0 (${commit})`;
  console.log(line);
  process.exit();
}
if (has('--help')) {
  console.log(fault === 'help' ? 'Usage: see the manual' : 'all options');
  process.exit();
}
if (args[0] === 'healthcheck') process.exit(fault === 'healthcheck' ? 0 : 1);

const port = Number(/^\d+$/.test(args[0] ?? '') ? args[0] : fault === 'port' ? 0 : (env.VRYPT_PORT ?? env.PORT ?? 0));
const unix = after('--unix');
const leak = [];
let served = 0;

function answer(head) {
  const [method = '', target = ''] = head.split(' ');
  const isBad = (head.match(/\r\nhost: /gi) ?? []).length !== 1 && !head.includes('HTTP/1.0');
  const isRefused = isBad || head.includes('HTTP/9.9') || head.includes('1x') || head.length > 9000;
  if (isRefused && fault !== 'refusals') {
    const status = head.includes('HTTP/9.9') ? 505 : head.length > 9000 ? 414 : 400;
    return [`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`, true];
  }
  const text = has('--echo')
    ? JSON.stringify({ method, target })
    : fault === 'text'
      ? 'Vrypt'
      : after('--text', 'Vrypt');
  const content = fault === 'content' ? 'Hello' : text;
  const isOld = head.includes('HTTP/1.0');
  const isClosing =
    isRefused || /connection: close/i.test(head) || (isOld && fault !== 'persistent') || fault === 'impatient';
  const time = new Date(Date.now() + (fault === 'date' ? 5000 : 0));
  const date = fault === 'iso' ? time.toISOString() : time.toUTCString();
  const length = content.length + (fault === 'length' ? 1 : 0);
  const fields = [
    `HTTP/1.1 ${{ status: '204 No Content', reason: '200 Fine' }[fault] ?? '200 OK'}`,
    `Content-Type: text/${fault === 'type' ? 'html' : 'plain'}`,
    ...(fault === 'chunked' ? ['Transfer-Encoding: chunked'] : [`Content-Length: ${length}`]),
    ...(fault === 'twice' ? [`Content-Length: ${length}`] : []),
    ...(fault === 'undated' ? [] : [`Date: ${date}`]),
    ...(fault === 'field' ? ['Server: mine'] : []),
    ...(fault === 'cookie' ? ['Set-Cookie: a=b'] : []),
    ...(isClosing ? ['Connection: close'] : []),
  ];
  const isBare = (method === 'HEAD' && fault !== 'head') || (method === 'POST' && fault === 'mute');
  const end = fault === 'lf' ? '\n' : '\r\n';
  const trailing = fault === 'tail' ? '\n' : '';
  return [`${fields.join(end)}${end}${end}${isBare ? '' : content}${trailing}`, isClosing];
}

const server = createServer((socket) => {
  if (fault === 'silent') return;
  let input = '';
  let isAnswered = false;
  socket.setEncoding('latin1').on('error', () => undefined);
  socket.on('data', (text) => {
    input += text;
    for (let end = input.indexOf('\r\n\r\n'); end >= 0; end = input.indexOf('\r\n\r\n')) {
      const head = input.slice(0, end);
      const length = Number(/content-length: (\d+)\r/i.exec(`${head}\r`)?.[1] ?? 0);
      const size = /transfer-encoding/i.test(head) ? input.length - end - 4 : length;
      if (input.length < end + 4 + size) return;
      input = input.slice(end + 4 + size);
      served++;
      if (fault === 'pipeline' && isAnswered) return;
      isAnswered = true;
      if (fault === 'descriptors') openSync('/dev/null');
      if (fault === 'stderr' && served === 2) console.error('deprecated');
      if (fault === 'mortal' && served > 300) process.exit(1);
      if (fault === 'leak') leak.push(Buffer.alloc(1 << 20, 1));
      const [bytes, isLast] = answer(head);
      if (isLast) socket.end(bytes);
      else socket.write(bytes);
    }
  });
  sockets.add(socket.on('close', () => sockets.delete(socket)));
});
const sockets = new Set();

let signals = 0;
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    if (fault === 'deaf' && signal === 'SIGINT') return;
    signals++;
    if (signals > 1) {
      if (fault !== 'second') process.exit(0);
      return;
    }
    const close = () => {
      server.close();
      if (fault === 'late file') writeFileSync('trace.txt', '');
      console.log(`vrypt-server stopped by ${signal} after 1s: nothing`);
      if (fault === 'stubborn') return void setInterval(() => undefined, 1000);
      if (!has('--drain-timeout') || sockets.size === 0) setTimeout(() => process.exit(fault === 'code' ? 3 : 0), 20);
    };
    if (has('--drain-delay') && fault !== 'delay') setTimeout(close, 400);
    else close();
  });
}
process.on('SIGUSR1', () => {
  if (fault === 'debugger') createServer().listen(0, '127.0.0.1');
});

if (fault === 'second port') createServer().listen(0, '127.0.0.1');
if (fault === 'lines') console.log('welcome');
if (fault === 'file') writeFileSync('trace.txt', '');
if (fault === 'traps' && env.OPENSSL_ENGINES) writeFileSync(env.OPENSSL_ENGINES, '');
if (fault === 'busy')
  setInterval(() => {
    for (const end = Date.now() + 90; Date.now() < end; );
  }, 100);
const where =
  unix === undefined ? { port, host: { loopback: '127.0.0.1', ipv4: '0.0.0.0' }[fault] ?? '::' } : { path: unix };
server
  .on('error', () => process.exit(1))
  .listen(where, () => {
    const [host] = ['[::]'];
    const actual = unix === undefined ? server.address().port : 1;
    console.log(`vrypt-server 1.0 listening on http://${host}:${actual} (${fault === 'workers' ? 2 : 1} worker)`);
    if (fault === 'chatty') setTimeout(() => console.log('still here'), 50);
  });
