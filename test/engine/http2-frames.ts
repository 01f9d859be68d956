/** A client of HTTP/2 (RFC 9113) that sends whatever frames a test wants, and tells the kinds and codes of what comes back. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { none: 0, ack: 1, endStream: 1, endHeaders: 4, padded: 8 } as const;

export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];

export function frame(type: number, flags: number, stream: number, payload: Buffer | number[] = []): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** HPACK without compression: literals that are not indexed (RFC 7541 §6.2.2). */
export function block(...fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** A string literal without Huffman's code (RFC 7541 §5.2). */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const prefix = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left >>>= 7) prefix.push((left & 127) | 128);
  return Buffer.concat([Buffer.from([...prefix, left]), bytes]);
}

export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a'],
];

export function get(stream: number, ...more: readonly (readonly [string, string])[]): Buffer {
  return frame(Type.headers, Flag.endStream | Flag.endHeaders, stream, block(...GET, ...more));
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(6 * pairs.length);
  pairs.forEach(([id, value], at) => {
    payload.writeUInt16BE(id, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  });
  return frame(Type.settings, Flag.none, 0, payload);
}

export class FrameClient {
  readonly socket: Socket;
  /** `headers 1`, `goaway PROTOCOL_ERROR`, `rst 1 CANCEL` …, in order; settings and window updates are left out. */
  readonly seen: string[] = [];
  hasEnded = false;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#read();
      this.#wake();
    });
    const end = () => {
      this.hasEnded = true;
      this.#wake();
    };
    socket.on('end', end).on('error', end).on('close', end);
  }

  /** Sends the preface and empty settings unless told otherwise. */
  static async connect(port: number, first: Buffer = Buffer.concat([PREFACE, settings()])): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    onTestFinished(() => void socket.destroy());
    socket.write(first);
    return new FrameClient(socket);
  }

  send(...frames: readonly Buffer[]): this {
    this.socket.write(Buffer.concat(frames));
    return this;
  }

  /** Waits until something like this has come, or the end. */
  async until(wanted: (seen: string) => boolean): Promise<string> {
    for (;;) {
      const found = this.seen.find(wanted);
      if (found !== undefined) return found;
      if (this.hasEnded) return `ended after ${this.seen.join(', ')}`;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ended(): Promise<void> {
    await this.until(() => false);
  }

  #read(): void {
    for (;;) {
      if (this.#bytes.length < 9) return;
      const length = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + length) return;
      const payload = this.#bytes.subarray(9, 9 + length);
      this.#see(this.#bytes[3] as number, this.#bytes[4] as number, this.#bytes.readUInt32BE(5), payload);
      this.#bytes = this.#bytes.subarray(9 + length);
    }
  }

  #see(type: number, flags: number, stream: number, payload: Buffer): void {
    switch (type) {
      case Type.headers:
        this.seen.push(`headers ${stream}`);
        break;
      case Type.data:
        if ((flags & Flag.endStream) !== 0) this.seen.push(`end ${stream}`);
        break;
      case Type.rstStream:
        this.seen.push(`rst ${stream} ${CODES[payload.readUInt32BE(0)]}`);
        break;
      case Type.goaway:
        this.seen.push(`goaway ${CODES[payload.readUInt32BE(4)]}`);
        break;
      case Type.ping:
        this.seen.push(`ping ${flags} ${payload.toString('latin1')}`);
        break;
      default:
    }
  }
}
