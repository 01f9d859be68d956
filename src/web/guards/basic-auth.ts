/** HTTP authentication with name and password (RFC 7617), against hashes by bcrypt or scrypt. What was right is kept for a while. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Call } from '../../engine/call.ts';
import type { Reply } from '../../http/reply.ts';
import type { AnswerShape } from '../answer-shape.ts';
import type { BasicAuthConfig } from '../config/security-config.ts';
import type { Guard } from '../route.ts';
import { verifyPassword } from './password-hash.ts';

/** A hash is made to be slow, and browsers send the password with every request. */
const KEEP_MS = 5 * 60_000;
const MAX_KEPT = 1024;
/** Hashes at work at once; more would take every thread of the pool from everybody else. */
const MAX_AT_WORK = 2;
const MAX_WAITING = 256;

export class BasicAuthGuard implements Guard {
  readonly #users: ReadonlyMap<string, string>;
  readonly #challenge: readonly [name: string, value: string];
  /** Compared instead of a password that nobody has, so that unknown names take as long as known ones. */
  readonly #decoy: string;
  readonly #secret = randomBytes(32);
  /** When it was verified, by a keyed hash of the credentials: passwords are not kept. */
  readonly #kept = new Map<string, number>();
  #atWork = 0;
  readonly #waiting: (() => void)[] = [];

  constructor({ realm, users }: BasicAuthConfig) {
    this.#users = new Map(Object.entries(users).map(([name, { secret }]) => [name, secret]));
    this.#challenge = ['WWW-Authenticate', `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`];
    this.#decoy = [...this.#users.values()][0] as string;
  }

  check(call: Call, _: boolean, shape: AnswerShape): Reply | null | Promise<Reply | null> {
    const credentials = call.header('authorization');
    const [, encoded] = /^basic +([A-Za-z0-9+/=_-]{1,1024})$/i.exec(credentials ?? '') ?? [];
    if (encoded === undefined) return this.#refuse(shape);
    const key = createHmac('sha256', this.#secret).update(encoded).digest('base64');
    const since = this.#kept.get(key);
    if (since !== undefined && performance.now() - since < KEEP_MS) return null;
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 0 || this.#waiting.length >= MAX_WAITING) return this.#refuse(shape);
    return this.#verify(text.slice(0, colon), text.slice(colon + 1), key, shape);
  }

  async #verify(name: string, password: string, key: string, shape: AnswerShape): Promise<Reply | null> {
    if (this.#atWork >= MAX_AT_WORK) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#atWork++;
    try {
      const isRight = await verifyPassword(password, this.#users.get(name) ?? this.#decoy);
      if (!isRight || !this.#users.has(name)) return this.#refuse(shape);
      if (this.#kept.size >= MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
      this.#kept.set(key, performance.now());
      return null;
    } finally {
      this.#atWork--;
      this.#waiting.shift()?.();
    }
  }

  #refuse(shape: AnswerShape): Reply {
    return shape.error(401, [this.#challenge]);
  }
}
