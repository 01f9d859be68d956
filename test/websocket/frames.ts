/** Frames as a client makes and reads them, valid and invalid ones. */

export interface ServerFrame {
  readonly first: number;
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly key?: Buffer;
  readonly isMasked?: boolean;
  /** The form of the length; by default the shortest. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** A length that is not the payload's. */
  readonly length?: number;
}

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** One client frame; `first` is its first byte: FIN, RSV and opcode. */
export function clientFrame(first: number, payload: Buffer | string = '', options: FrameOptions = {}): Buffer {
  const { key = KEY, isMasked = true } = options;
  const bytes = Buffer.from(payload);
  const { length = bytes.length } = options;
  const shortest = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const { lengthBytes = shortest } = options;
  const mask = isMasked ? 0x80 : 0;
  const header = Buffer.alloc(2 + lengthBytes);
  header[0] = first;
  header[1] = mask | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (!isMasked) return Buffer.concat([header, bytes]);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] as number) ^ (key[at & 3] as number);
  return Buffer.concat([header, key, bytes]);
}

export function closeFrame(code: number, reason: Buffer | string = ''): Buffer {
  const payload = Buffer.concat([Buffer.alloc(2), Buffer.from(reason)]);
  payload.writeUInt16BE(code, 0);
  return clientFrame(0x88, payload);
}

/** A message in fragments: the pieces' frames. */
export function fragments(opcode: number, pieces: readonly (Buffer | string)[], first = 0): Buffer {
  const frames = pieces.map((piece, index) => {
    const fin = index === pieces.length - 1 ? 0x80 : 0;
    return clientFrame(index === 0 ? fin | opcode | first : fin, piece);
  });
  return Buffer.concat(frames);
}

/** The complete server frames in `bytes`, and the rest. Throws if they are masked. */
export function readServerFrames(bytes: Buffer): { frames: ServerFrame[]; rest: Buffer } {
  const frames: ServerFrame[] = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    const second = bytes[at + 1] as number;
    if (second > 127) throw new Error('a server never masks');
    const lengthBytes = second === 126 ? 2 : second === 127 ? 8 : 0;
    const start = at + 2 + lengthBytes;
    if (bytes.length < start) break;
    let length = second;
    if (lengthBytes === 2) length = bytes.readUInt16BE(at + 2);
    if (lengthBytes === 8) length = Number(bytes.readBigUInt64BE(at + 2));
    if (bytes.length < start + length) break;
    frames.push({ first: bytes[at] as number, payload: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return { frames, rest: bytes.subarray(at) };
}
