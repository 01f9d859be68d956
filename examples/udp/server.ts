/**
 * Datagrams: every one comes back to whoever sent it, and HTTP on a TCP port tells how many. Answers httprs's UDP echo, a Worker.
 *
 *     node examples/udp/server.ts          # then: nc -u localhost 3000
 *     curl localhost:3001/                 # with HTTP_PORT=3001
 */
import { type Datagrams, json, serve } from 'vrypt-server';

let echoed = 0;
let dropped = 0;

const echo: Datagrams = {
  message(bytes, from, socket) {
    // False: the kernel takes no more at the moment. UDP promises nothing, so nobody waits.
    if (socket.send(bytes, from)) echoed++;
    else dropped++;
  },
};

const server = serve({
  listen: [
    { port: Number(process.env['PORT'] ?? 3000), datagrams: echo },
    { port: Number(process.env['HTTP_PORT'] ?? 0) },
  ],
  handleSignals: true,
  routes: { '/': () => json({ echoed, dropped }) },
});

server.ready.then(({ addresses: [udp], url }) => console.log(`echoing on port ${udp?.port}, listening on ${url}`));
