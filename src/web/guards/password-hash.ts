/** Verifies passwords: scrypt in Node's pool (`$scrypt$ln=15,r=8,p=1$salt$hash`), bcrypt in JavaScript, in slices. */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt as never);
/** Of scrypt, for the parameters that somebody may choose. */
const MAX_MEMORY = 256 * 1024 * 1024;

/** False also for a hash that is none. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  if (hash.startsWith('$2')) {
    const { compare } = await import('bcryptjs');
    return compare(password, hash);
  }
  const [, cost, r, p, salt, expected] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/.exec(hash) ?? [];
  if (salt === undefined || expected === undefined) return false;
  const wanted = Buffer.from(expected, 'base64');
  const options = { N: 2 ** Number(cost), r: Number(r), p: Number(p), maxmem: MAX_MEMORY };
  try {
    const made = await derive(password, Buffer.from(salt, 'base64'), wanted.length, options);
    return timingSafeEqual(made, wanted);
  } catch {
    return false;
  }
}
