/**
 * A protocol of its own on connections: every line comes back, and HTTP on a second port tells how many have. Answers httprs's echo server, a Process.
 *
 *     node examples/echo/server.ts         # then: nc localhost 3000
 *     curl localhost:3001/                 # with HTTP_PORT=3001
 */
import { json, type Link, type Protocol, serve } from 'vrypt-server';

/** A client that sends nothing for so long is told, and let go. */
const PATIENCE_MS = 60_000;
const LONGEST_LINE = 16 * 1024;
const NEWLINE = 0x0a;

let clients = 0;
let lines = 0;

const echo: Protocol<Buffer> = {
  open(link) {
    clients++;
    link.data = Buffer.alloc(0);
    link.timeout(PATIENCE_MS);
  },
  data(link, bytes) {
    link.timeout(PATIENCE_MS);
    // What has arrived is valid only now: concat copies it.
    const text = Buffer.concat([link.data, bytes]);
    const end = text.lastIndexOf(NEWLINE) + 1;
    link.data = text.subarray(end);
    if (link.data.length > LONGEST_LINE) return link.end(`a line must have at most ${LONGEST_LINE} bytes\n`);
    if (end > 0) answer(link, text.subarray(0, end));
  },
  drain: (link) => link.resume(),
  timeout: (link) => link.end('bye: nothing to echo\n'),
  end: (link) => link.end(link.data),
  close() {
    clients--;
  },
};

function answer(link: Link<Buffer>, whole: Buffer): void {
  for (const byte of whole) if (byte === NEWLINE) lines++;
  // Whoever does not read what comes back is not read either, until `drain`.
  if (!link.write(whole)) link.pause();
}

const server = serve({
  listen: [
    { port: Number(process.env['PORT'] ?? 3000), protocol: echo as Protocol },
    { port: Number(process.env['HTTP_PORT'] ?? 0) },
  ],
  handleSignals: true,
  routes: { '/': () => json({ clients, lines }) },
});

server.ready.then(({ addresses: [tcp], url }) => console.log(`echoing on port ${tcp?.port}, listening on ${url}`));
