/** A web server reads its file again under load, every tenth time a broken one: nobody loses a request, a connection or a WebSocket. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';
import { ServerProcess } from '../cli/server-process.ts';
import { type Finding, finding, note, type Proof, type ProofContext, sleep } from './proof.ts';

const RELOADS = 50;
const KEEPING = 24;
const RECONNECTING = 8;
const SOCKETS = 20;

export const reloads: Proof = {
  title: `${RELOADS} reloads under load, every tenth with a certificate that is none; ${SOCKETS} WebSockets through the proxy`,
  async run(context) {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-reloads-'));
    const origin = createServer((_, response) => response.end('proxied'));
    new WebSocketServer({ server: origin }).on('connection', (socket) => {
      socket.on('message', (data) => socket.send(data));
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    try {
      return await underLoad(context, folder, (origin.address() as AddressInfo).port);
    } finally {
      origin.close();
      origin.closeAllConnections();
      rmSync(folder, { recursive: true });
    }
  },
};

async function underLoad({ command }: ProofContext, folder: string, originPort: number): Promise<Finding[]> {
  const write = (round: number) =>
    writeFileSync(path.join(folder, 'vrypt.toml'), configuration(round, originPort, isBroken(round)));
  writeFileSync(path.join(folder, 'broken.pem'), 'no certificate');
  write(0);
  const server = await ServerProcess.start(['web'], { command, cwd: folder });
  const [, port = 0] = (/http:\S+?:(\d+),/.exec(server.stdout) ?? []).map(Number);
  const load = new Load(port);
  try {
    await load.start();
    for (let round = 1; round <= RELOADS; round++) {
      write(round);
      server.signal('SIGHUP');
      const [text, wanted] = isBroken(round)
        ? (['nothing has changed', Math.floor(round / 10)] as const)
        : (['reloaded its configuration', round - Math.floor(round / 10)] as const);
      while (`${server.stdout}${server.stderr}`.split(text).length - 1 < wanted) {
        if (server.hasEnded) throw new Error(`the server ended: ${server.stderr}`);
        await sleep(5);
      }
    }
    await load.stop();
  } finally {
    await server.kill();
  }
  const { answers, failed, closed, echoes, seen } = load;
  return [
    finding('requests answered, lost', `${answers}, ${failed.length}`, '0 lost', failed.length === 0 && answers > 0),
    ...(failed.length === 0 ? [] : [note('the first that was lost', String(failed[0]))]),
    finding('configurations that clients saw', `${seen.size}`, `≥ ${RELOADS / 2}`, seen.size >= RELOADS / 2),
    finding('WebSockets closed, messages echoed', `${closed}, ${echoes}`, '0 closed', closed === 0 && echoes > 0),
  ];
}

function isBroken(round: number): boolean {
  return round > 0 && round % 10 === 0;
}

function configuration(round: number, originPort: number, hasBrokenCertificate: boolean): string {
  return `
[server]
host = "127.0.0.1"
http_port = 0
https_port = 0
workers = 2
[ssl]
${hasBrokenCertificate ? 'cert = "broken.pem"\nkey = "broken.pem"' : ''}
[[sites]]
respond = "round ${round}"
[[sites.routes]]
path = "/proxied/*"
proxy = "http://127.0.0.1:${originPort}"
`;
}

/** Clients until they are stopped. */
class Load {
  answers = 0;
  readonly failed: unknown[] = [];
  closed = 0;
  echoes = 0;
  /** Answers of different configurations. */
  readonly seen = new Set<string>();
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: KEEPING });
  readonly #sockets: WebSocket[] = [];
  #isStopping = false;
  #clients: Promise<void>[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  async start(): Promise<void> {
    for (let i = 0; i < SOCKETS; i++) await this.#openSocket();
    this.#clients = Array.from({ length: KEEPING + RECONNECTING }, (_, index) => this.#ask(index < KEEPING));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#clients);
    for (const socket of this.#sockets) socket.terminate();
    this.#agent.destroy();
  }

  async #ask(isKeeping: boolean): Promise<void> {
    for (let n = 0; !this.#isStopping; n++) {
      const isProxied = n % 2 === 0;
      try {
        const text = await this.#get(isProxied ? '/proxied/a' : '/', isKeeping ? this.#agent : false);
        if (isProxied ? text !== 'proxied' : !text.startsWith('round ')) throw new Error(`the answer was ${text}`);
        this.answers++;
        this.seen.add(text);
      } catch (error) {
        this.failed.push(error);
      }
    }
  }

  #get(target: string, agent: Agent | false): Promise<string> {
    return new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: this.#port, path: target, agent }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => resolve(text)).on('error', reject);
      }).on('error', reject);
    });
  }

  async #openSocket(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/proxied/socket`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.on('message', () => {
      this.echoes++;
      setTimeout(() => socket.readyState === WebSocket.OPEN && socket.send('again'), 20);
    });
    socket.on('close', () => {
      if (!this.#isStopping) this.closed++;
    });
    socket.send('first');
    this.#sockets.push(socket);
  }
}
