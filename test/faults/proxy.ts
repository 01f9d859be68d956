/** What clients of a proxy cost while they do nothing: ten thousand idle ones, and WebSockets. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { HoldOrders, HoldReport } from './clients/hold.ts';
import { measureLatency } from './latency.ts';
import { anonymousMemory, mebibytes } from './process-facts.ts';
import { type Finding, finding, milliseconds, type Proof, type ProofContext, sleep } from './proof.ts';

const CLIENTS = 10_000;
/** Each takes two descriptors of the proxy, and one of the upstream. */
const TUNNELS = 4000;
const LATENCY_MS = 3000;
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

export const proxy: Proof = {
  title: `${CLIENTS} clients of a proxy held open, each after one answer; ${TUNNELS} WebSockets`,
  async run(context) {
    const origin = await Origin.start();
    try {
      return [...(await holdClients(context, origin)), ...(await holdTunnels(context, origin))];
    } finally {
      origin.close();
    }
  },
};

async function holdClients(context: ProofContext, origin: Origin): Promise<Finding[]> {
  return withProxy(context, origin, async (server) => {
    const { port, pid } = server;
    await hold({ port, count: 500, asks: true });
    const before = await measureLatency(port, LATENCY_MS);
    const memoryBefore = anonymousMemory(pid);
    const client = new ClientProcess('hold', { port, count: CLIENTS, asks: true } satisfies HoldOrders);
    const { open } = await client.report<HoldReport>();
    await sleep(1000);
    const perClient = (anonymousMemory(pid) - memoryBefore) / open;
    const during = await measureLatency(port, LATENCY_MS);
    const atOrigin = origin.sockets.size;
    await client.end();
    return [
      finding('answered and held', `${open} of ${CLIENTS}`, `${CLIENTS}`, open === CLIENTS),
      finding('user memory per client', kibibytes(perClient), '≤ 4 KiB', perClient <= 4096),
      finding('connections to the upstream meanwhile', `${atOrigin}`, '≤ 256', atOrigin <= 256),
      finding(
        'latency of another client, median before and during',
        `${milliseconds(before.p50)} and ${milliseconds(during.p50)}`,
        'at most twice plus 1 ms',
        during.p50 <= 2 * before.p50 + 1,
      ),
    ];
  });
}

async function holdTunnels(context: ProofContext, origin: Origin): Promise<Finding[]> {
  return withProxy(context, origin, async ({ port, pid }) => {
    await hold({ port, count: 500, asks: true, request: UPGRADE });
    await sleep(1000);
    const before = anonymousMemory(pid);
    const orders: HoldOrders = { port, count: TUNNELS, asks: true, request: UPGRADE };
    const client = new ClientProcess('hold', orders);
    const { open } = await client.report<HoldReport>();
    await sleep(1000);
    const memory = anonymousMemory(pid) - before;
    await client.end();
    const each = memory / open;
    return [
      finding('WebSockets held', `${open} of ${TUNNELS}`, `${TUNNELS}`, open === TUNNELS),
      finding(
        'user memory per WebSocket',
        `${kibibytes(each)} (${mebibytes(memory)} in all)`,
        '≤ 12 KiB',
        each <= 12_288,
      ),
    ];
  });
}

async function withProxy(
  { command }: ProofContext,
  origin: Origin,
  use: (server: ServerProcess) => Promise<Finding[]>,
): Promise<Finding[]> {
  const args = ['proxy', `127.0.0.1:${origin.port}`, '0', '-H', '127.0.0.1', '-w', '2'];
  const server = await ServerProcess.start(args, { command });
  try {
    return await use(server);
  } finally {
    await server.kill();
  }
}

/** Opens connections, and lets go of them: afterwards everything has been loaded and compiled. */
async function hold(orders: HoldOrders): Promise<void> {
  const client = new ClientProcess('hold', orders);
  await client.report();
  await client.end();
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(2)} KiB`;
}

/** Answers 1 KB to everything, and any upgrade with a 101. */
class Origin {
  readonly sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor() {
    const content = 'x'.repeat(1024);
    this.#server = createServer((_request, response) => response.end(content));
    this.#server.on('upgrade', (_request, socket) => {
      socket.on('error', () => {});
      socket.resume();
      socket.write(SWITCHED);
      socket.on('end', () => socket.end());
    });
    this.#server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(): Promise<Origin> {
    const origin = new Origin();
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', 4096, () => resolve()));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
