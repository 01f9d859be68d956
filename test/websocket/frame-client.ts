/** A WebSocket client that sends raw bytes and reads frames. Owns its socket. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { readServerFrames, type ServerFrame } from './frames.ts';

export class FrameClient {
  readonly socket: Socket;
  /** The answer to the upgrade. */
  head = '';
  hasEnded = false;
  #received: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #frames: ServerFrame[] = [];
  #whenChanged: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#chunks.push(bytes);
      this.#change();
    });
    socket.on('end', () => this.#end());
    socket.on('error', () => this.#end());
  }

  /** Connects and upgrades; `fields` are added to the request, `behind` is sent along with it. */
  static async open(port: number, fields = '', behind: Buffer | string = ''): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const client = new FrameClient(socket);
    onTestFinished(() => void socket.destroy());
    const head = [
      'GET / HTTP/1.1',
      'Host: a',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ].join('\r\n');
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n${fields}\r\n`), Buffer.from(behind)]));
    for (;;) {
      const received = client.#join();
      const end = received.indexOf('\r\n\r\n');
      if (end >= 0) {
        client.head = received.toString('latin1', 0, end);
        client.#received = received.subarray(end + 4);
        return client;
      }
      if (client.hasEnded) throw new Error(`no answer to the upgrade: ${received.toString('latin1')}`);
      await client.#changed();
    }
  }

  send(bytes: Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  async frame(): Promise<ServerFrame> {
    for (;;) {
      this.#cut();
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.hasEnded) throw new Error('the connection ended before a frame arrived');
      await this.#changed();
    }
  }

  async frames(count: number): Promise<ServerFrame[]> {
    const all: ServerFrame[] = [];
    while (all.length < count) all.push(await this.frame());
    return all;
  }

  /** All frames until the server's FIN; then the client ends too. */
  async end(): Promise<ServerFrame[]> {
    while (!this.hasEnded) await this.#changed();
    this.socket.end();
    this.#cut();
    return this.#frames;
  }

  #cut(): void {
    const { frames, rest } = readServerFrames(this.#join());
    this.#frames.push(...frames);
    this.#received = rest;
  }

  #join(): Buffer {
    if (this.#chunks.length > 0) this.#received = Buffer.concat([this.#received, ...this.#chunks]);
    this.#chunks = [];
    return this.#received;
  }

  #end(): void {
    this.hasEnded = true;
    this.#change();
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

/** What a frame says, for expectations: `close 1002`, `text "abc"`. */
export function say({ first, payload }: ServerFrame): string {
  switch (first) {
    case 0x81:
      return `text ${JSON.stringify(payload.toString())}`;
    case 0x82:
      return `binary ${payload.toString('hex')}`;
    case 0x88:
      return payload.length === 0 ? 'close' : `close ${payload.readUInt16BE(0)}`;
    case 0x89:
      return `ping ${JSON.stringify(payload.toString())}`;
    case 0x8a:
      return `pong ${JSON.stringify(payload.toString())}`;
    default:
      return `${first.toString(16)} ${payload.toString('hex')}`;
  }
}
