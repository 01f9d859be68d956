/** What every peer of the library does: the same answers, on Node, Bun and Deno. */

/** Of a transfer; 1600 pieces are 100 MiB. */
export const PIECE: Uint8Array<ArrayBuffer> = new Uint8Array(65_536).fill(120);
export const PIECES = 1600;
export const BYTES: number = PIECE.length * PIECES;
export const EVENT_MS = 1000;

export interface User {
  readonly id: string;
  readonly x: string | null;
  readonly token: string | null;
}

export const USER_FIELDS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' } as const;

export function userText(id: string, x: string | null, token: string | null): string {
  return JSON.stringify({ id, x, token } satisfies User);
}

export async function* pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let piece = 0; piece < PIECES; piece++) yield PIECE;
}

export async function count(body: AsyncIterable<Uint8Array> | null): Promise<number> {
  let bytes = 0;
  if (body !== null) for await (const piece of body) bytes += piece.length;
  return bytes;
}

export function port(): number {
  return Number(process.argv[2]);
}
