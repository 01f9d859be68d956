/** A client that sends raw bytes and splits what comes back into responses. Owns its socket. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

export interface Response {
  /** Status line and fields, without the empty line. */
  readonly head: string;
  readonly status: number;
  readonly body: string;
}

export interface ClientOptions {
  readonly host?: string;
  readonly localAddress?: string;
  /** Does not read until resume(). */
  readonly isPaused?: boolean;
}

export class RawClient {
  readonly socket: Socket;
  /** Set if the connection broke; null after an orderly end. */
  failure: NodeJS.ErrnoException | null = null;
  hasEnded = false;
  receivedBytes = 0;
  #received: Buffer = Buffer.alloc(0);
  /** Arrived after #received, not yet appended to it. */
  #chunks: Buffer[] = [];
  /** No response can be complete until this many more bytes have arrived. */
  #missing = 0;
  #whenChanged: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.receivedBytes += bytes.length;
      this.#chunks.push(bytes);
      this.#missing -= bytes.length;
      if (this.#missing <= 0) this.#change();
    });
    socket.on('end', () => {
      this.hasEnded = true;
      this.#change();
    });
    socket.on('error', (error) => {
      this.failure = error;
      this.hasEnded = true;
      this.#change();
    });
  }

  static connect(port: number, options: ClientOptions = {}): Promise<RawClient> {
    const { host = '127.0.0.1', localAddress, isPaused = false } = options;
    const local = localAddress === undefined ? {} : { localAddress };
    return RawClient.#open({ port, host, noDelay: true, ...local }, isPaused);
  }

  static connectUnix(path: string): Promise<RawClient> {
    return RawClient.#open({ path }, false);
  }

  static #open(options: NetConnectOpts, isPaused: boolean): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...options, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        const client = new RawClient(socket);
        if (isPaused) socket.pause();
        resolve(client);
      });
    });
  }

  /** What has arrived but has not been returned as a response. */
  get received(): string {
    return this.#join().toString('latin1');
  }

  send(bytes: string | Buffer): this {
    this.socket.write(bytes, 'latin1');
    return this;
  }

  /** Sends FIN and goes on reading. */
  endSending(): this {
    this.socket.end();
    return this;
  }

  /** The next response; `isHead`: it has no content, whatever its fields say. */
  async response(isHead = false): Promise<Response> {
    for (;;) {
      const response = this.#take(isHead);
      if (response !== null) return response;
      if (this.hasEnded)
        throw new Error(`the connection ended (${this.failure?.code ?? 'FIN'}) at: ${this.received.slice(0, 200)}`);
      await this.#changed();
    }
  }

  async responses(count: number): Promise<Response[]> {
    const all: Response[] = [];
    while (all.length < count) all.push(await this.response());
    return all;
  }

  /** Waits for the end of the connection; returns what arrived before it and was not returned yet. */
  async end(): Promise<string> {
    while (!this.hasEnded) await this.#changed();
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  /** Ends with RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #take(isHead: boolean): Response | null {
    const received = this.#join();
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return null;
    const head = received.toString('latin1', 0, headEnd);
    const status = Number(head.slice(9, 12));
    const length = isHead || status < 200 ? 0 : Number(/^Content-Length: (\d+)\r?$/im.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    this.#missing = end - received.length;
    if (this.#missing > 0) return null;
    const body = received.toString('latin1', headEnd + 4, end);
    this.#received = received.subarray(end);
    return { head, status, body };
  }

  #join(): Buffer {
    if (this.#chunks.length > 0) this.#received = Buffer.concat([this.#received, ...this.#chunks]);
    this.#chunks = [];
    return this.#received;
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#whenChanged.push(resolve));
  }

  #change(): void {
    const waiting = this.#whenChanged;
    this.#whenChanged = [];
    for (const resolve of waiting) resolve();
  }
}
