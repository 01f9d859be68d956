/** Talks to an ACME server (RFC 8555 §6 and §7): its directory, nonces, signed requests, errors, waiting. */
import type { KeyObject } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { jwkOf, type Signer, signRequest } from './acme-jws.ts';
import { ask, type Told } from './ask.ts';

export interface SessionOptions {
  readonly directoryUrl: string;
  /** PEM; null: Node's. */
  readonly ca: string | null;
  readonly email: string | null;
  readonly accountKey: KeyObject;
  readonly signal?: AbortSignal | undefined;
}

interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
}

/** The server has refused; `type` as in §6.7, such as `rateLimited`. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const PREFIX = 'urn:ietf:params:acme:error:';
/** A nonce may have become too old, and so may the next (§6.5). Four were too few for a server that refuses every fifth. */
const NONCE_ATTEMPTS = 12;
const POLL_MS = 1000;
const LONGEST_POLL_MS = 30_000;
/** What a server may take to validate or to issue. */
const PATIENCE_MS = 180_000;

export class AcmeSession {
  readonly #options: SessionOptions;
  readonly #directory: Directory;
  #nonce: string | null = null;
  /** The account's URL, once it is known. */
  #kid: string | null = null;

  private constructor(options: SessionOptions, directory: Directory) {
    this.#options = options;
    this.#directory = directory;
  }

  /** With the account of this key, which is made if there is none. */
  static async open(options: SessionOptions): Promise<AcmeSession> {
    const { directoryUrl, ca, signal, email } = options;
    const told = await ask({ method: 'GET', url: directoryUrl, ca, signal });
    if (told.status !== 200) throw new AcmeError('directory', `${directoryUrl} must answer 200, got ${told.status}`);
    const session = new AcmeSession(options, parse(told, directoryUrl));
    const contact = email === null ? {} : { contact: [`mailto:${email}`] };
    const account = await session.post(session.#directory.newAccount, { termsOfServiceAgreed: true, ...contact });
    session.#kid = account.field('location');
    return session;
  }

  get newOrderUrl(): string {
    return this.#directory.newOrder;
  }

  /** A signed request; `payload` null reads. Rejects with an AcmeError if the server refuses. */
  async post(url: string, payload: unknown): Promise<Told> {
    const { accountKey, ca, signal } = this.#options;
    const signer: Signer = this.#kid === null ? { jwk: jwkOf(accountKey) } : { kid: this.#kid };
    for (let attempt = 1; ; attempt++) {
      const nonce = await this.#takeNonce();
      const told = await ask({
        method: 'POST',
        url,
        ca,
        signal,
        fields: { 'Content-Type': 'application/jose+json' },
        content: signRequest(accountKey, signer, nonce, url, payload),
      });
      this.#nonce = told.field('replay-nonce');
      if (told.status < 400) return told;
      const error = errorOf(told, url);
      if (error.type !== 'badNonce' || attempt === NONCE_ATTEMPTS) throw error;
    }
  }

  async read<T>(url: string): Promise<T> {
    return parse<T>(await this.post(url, null), url);
  }

  /** Reads until the status is another than these (§7.5.1). */
  async whileStatus<T extends { readonly status: string }>(url: string, waiting: readonly string[]): Promise<T> {
    for (let waited = 0; ; ) {
      const told = await this.post(url, null);
      const value = parse<T>(told, url);
      if (!waiting.includes(value.status)) return value;
      if (waited >= PATIENCE_MS) {
        throw new AcmeError(
          'timeout',
          `${url} must be settled within ${PATIENCE_MS / 1000} s, it is still ${value.status}`,
        );
      }
      const ms = Math.min(LONGEST_POLL_MS, 1000 * Number(told.field('retry-after') ?? 0) || POLL_MS);
      await pause(ms, undefined, { ...(this.#options.signal === undefined ? {} : { signal: this.#options.signal }) });
      waited += ms;
    }
  }

  async #takeNonce(): Promise<string> {
    const known = this.#nonce;
    this.#nonce = null;
    if (known !== null) return known;
    const { ca, signal } = this.#options;
    const told = await ask({ method: 'HEAD', url: this.#directory.newNonce, ca, signal });
    const nonce = told.field('replay-nonce');
    if (nonce === null) throw new AcmeError('nonce', `${this.#directory.newNonce} must send Replay-Nonce`);
    return nonce;
  }
}

export function parse<T>({ content }: Told, url: string): T {
  try {
    return JSON.parse(content) as T;
  } catch {
    throw new AcmeError('malformed', `${url} must answer JSON, got ${JSON.stringify(content.slice(0, 80))}`);
  }
}

interface Problem {
  readonly type?: string;
  readonly detail?: string;
  readonly subproblems?: readonly Problem[];
}

function errorOf(told: Told, url: string): AcmeError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(told.content) as Problem;
  } catch {
    // What a proxy in between says is no problem document.
  }
  const wait = told.field('retry-after');
  const later = wait === null ? '' : ` (it says: again after ${wait})`;
  return new AcmeError(typeOf(problem), `${url} answered ${told.status}: ${describe(problem)}${later}`);
}

export function describe({ type, detail, subproblems = [] }: Problem): string {
  const own = detail ?? type ?? 'no reason';
  return [own, ...subproblems.map((one) => describe(one))].join('; ');
}

function typeOf({ type = '' }: Problem): string {
  return type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type;
}
