/** An upstream in the hands of a test: it sees the bytes of each connection and answers what the test says. */
import { createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export class OriginConnection {
  readonly socket: Socket;
  received = '';
  hasEnded = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.#wake();
    });
    const end = () => {
      this.hasEnded = true;
      this.#wake();
    };
    socket.on('end', end);
    socket.on('error', end);
    socket.on('close', end);
  }

  /** Waits for a request whose bytes end so; returns all that has arrived since the last call. */
  async request(end = '\r\n\r\n'): Promise<string> {
    while (!this.received.endsWith(end)) {
      if (this.hasEnded) throw new Error(`the proxy has ended the connection after ${JSON.stringify(this.received)}`);
      await this.#changed();
    }
    const { received } = this;
    this.received = '';
    return received;
  }

  async ended(): Promise<void> {
    while (!this.hasEnded) await this.#changed();
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  end(text = ''): void {
    this.socket.end(text, 'latin1');
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export class RawOrigin {
  readonly server: Server;
  count = 0;
  readonly #arrived: OriginConnection[] = [];
  #waiting: ((connection: OriginConnection) => void)[] = [];

  private constructor() {
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.count++;
      const connection = new OriginConnection(socket);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#arrived.push(connection);
      else waiting(connection);
    });
  }

  /** Listens on a free port, or on the path of a Unix socket, until the test ends. */
  static async start(path?: string): Promise<RawOrigin> {
    const origin = new RawOrigin();
    const { server } = origin;
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => {
      if (path === undefined) server.listen(0, '127.0.0.1', () => resolve());
      else server.listen(path, () => resolve());
    });
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    return origin;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens on no port');
    return address.port;
  }

  /** The next connection that the proxy makes. */
  connection(): Promise<OriginConnection> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: now\r\n\r\nok';
