/**
 * SHA-256 as hexadecimal digits, of data and of files. A large file that the kernel says is the one that was read before (inode,
 * size, time of its last change, which no program can set) is not read again, in this process or a later one. Owns
 * `build/hashes.json`, which may be lost at any time.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { build } from './checkout.ts';

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export async function sha256File(file: string): Promise<string> {
  const before = identityOf(file);
  const known = knownHash(file, before);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return remembered(file, before, hash.digest('hex'));
}

export function sha256FileSync(file: string): string {
  const before = identityOf(file);
  return knownHash(file, before) ?? remembered(file, before, sha256(readFileSync(file)));
}

interface Identity {
  readonly text: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly changed: number;
}

interface Known {
  readonly identity: string;
  readonly hash: string;
}

/** Reading a smaller file costs as little as remembering it. */
const large = 1 << 20;
/** A clock of the kernel may stand still for this long, so that two changes look like one. */
const tickMs = 100;
const store = path.join(build, 'hashes.json');
let hashes: Map<string, Known> | undefined;

function identityOf(file: string): Identity {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  const text = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  return { text, size: Number(size), changed: Number(ctimeNs / 1_000_000n) };
}

function knownHash(file: string, { text, size }: Identity): string | undefined {
  if (size < large) return undefined;
  hashes ??= readStore();
  const known = hashes.get(path.resolve(file));
  return known?.identity === text ? known.hash : undefined;
}

function remembered(file: string, before: Identity, hash: string): string {
  if (before.size < large || Date.now() - before.changed < tickMs) return hash;
  hashes ??= readStore();
  // What has changed while it was read is nobody's hash.
  if (identityOf(file).text === before.text) {
    if (!isSaving) process.once('exit', save);
    isSaving = true;
    hashes.set(path.resolve(file), { identity: before.text, hash });
  }
  return hash;
}

let isSaving = false;

function readStore(): Map<string, Known> {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(store, 'utf8')) as Record<string, Known>));
  } catch {
    return new Map();
  }
}

function save(): void {
  const kept = [...(hashes ?? [])].filter(([file]) => existsSync(file));
  try {
    mkdirSync(build, { recursive: true });
    writeFileSync(`${store}.${process.pid}`, JSON.stringify(Object.fromEntries(kept)));
    renameSync(`${store}.${process.pid}`, store);
  } catch {
    // No room, or nothing may be written: the next run reads the files again.
  }
}
