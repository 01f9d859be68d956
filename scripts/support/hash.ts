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
  const identify = (): Identity => identityOf(file);
  const before = identify();
  const known = knownHash(file, before);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return remembered(file, before, identify, hash.digest('hex'));
}

export function sha256FileSync(file: string): string {
  const identify = (): Identity => identityOf(file);
  const before = identify();
  return knownHash(file, before) ?? remembered(file, before, identify, sha256(readFileSync(file)));
}

/** Of the names and contents of a folder's files: `names` are relative to it. If none has changed, none is read again. */
export function sha256FilesSync(folder: string, names: readonly string[]): string {
  const identify = (): Identity => {
    const identities = names.map((name) => identityOf(path.join(folder, name)));
    return {
      text: sha256(identities.map(({ text }, index) => `${text} ${names[index]}`).join('\n')),
      isWorthwhile: true,
      changed: identities.reduce((last, { changed }) => Math.max(last, changed), 0),
    };
  };
  const before = identify();
  const known = knownHash(folder, before);
  if (known !== undefined) return known;
  const lines = names.map((name) => `${sha256FileSync(path.join(folder, name))}  ${name}`);
  return remembered(folder, before, identify, sha256(lines.join('\n')));
}

interface Identity {
  readonly text: string;
  /** Reading it costs more than remembering it. */
  readonly isWorthwhile: boolean;
  /** Milliseconds since 1970. */
  readonly changed: number;
}

interface Known {
  readonly identity: string;
  readonly hash: string;
}

const large = 1 << 20;
/** A clock of the kernel may stand still for this long, so that two changes look like one. */
const tickMs = 100;
const store = path.join(build, 'hashes.json');
let hashes: Map<string, Known> | undefined;

function identityOf(file: string): Identity {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  const text = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  return { text, isWorthwhile: size >= large, changed: Number(ctimeNs / 1_000_000n) };
}

function knownHash(file: string, { text, isWorthwhile }: Identity): string | undefined {
  if (!isWorthwhile) return undefined;
  hashes ??= readStore();
  const known = hashes.get(path.resolve(file));
  return known?.identity === text ? known.hash : undefined;
}

function remembered(file: string, before: Identity, identify: () => Identity, hash: string): string {
  if (!before.isWorthwhile || Date.now() - before.changed < tickMs) return hash;
  hashes ??= readStore();
  // What has changed while it was read is nobody's hash.
  if (identify().text === before.text) {
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
