/**
 * Keeps one issued certificate valid: gets it, writes it where all workers load it from, and gets another before it expires.
 * Whatever fails leaves the old one in place, is reported, and is tried again. Owns a timer and the request under way.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type LoadedCertificate, loadCertificate } from './load-certificate.ts';
import { readSecret, writeSecret } from './secret-files.ts';
import type { KeyPair } from './self-signed.ts';

export interface KeeperOptions {
  /** PEM: the key, then the certificate and its chain. */
  readonly file: string;
  readonly domains: readonly string[];
  readonly renewBeforeMs: number;
  readonly obtain: (domains: readonly string[], signal: AbortSignal) => Promise<KeyPair>;
  /** What goes wrong, and when it is tried again. */
  readonly report: (message: string) => void;
  /** A new certificate is in place. */
  readonly onRenewed?: (certificate: LoadedCertificate) => void;
}

const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 6 * 60 * 60 * 1000;
/** Clocks jump, and files are replaced by others: it looks at least this often. */
const LOOK_MS = 60 * 60 * 1000;
/** Of the lifetime, whatever the options say: a certificate that lasts six days cannot be renewed 30 days before. */
const LATEST_SHARE = 1 / 3;

export class CertificateKeeper {
  readonly #options: KeeperOptions;
  readonly #end = new AbortController();
  #failures = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Until `close`; the first attempt begins at once. */
  start(): void {
    void this.#run();
  }

  close(): void {
    this.#end.abort();
  }

  /** Gets another certificate if it is time; resolves with how long to wait for the next look. Never rejects. */
  async look(now = Date.now()): Promise<number> {
    const { file, domains, report } = this.#options;
    try {
      const present = presentIn(file);
      const dueIn = present === null || !covers(present, domains) ? 0 : this.#renewalOf(present) - now;
      if (dueIn > 0) return Math.min(dueIn, LOOK_MS);
      const { cert, key } = await this.#options.obtain(domains, this.#end.signal);
      const text = key + cert;
      // A certificate that does not work must not replace one that does.
      const loaded = loadCertificate({ cert: text, key: text }, 'the certificate that was issued');
      writeSecret(file, text);
      this.#failures = 0;
      this.#options.onRenewed?.(loaded);
      return LOOK_MS;
    } catch (error) {
      if (this.#end.signal.aborted) return LOOK_MS;
      const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
      report(
        `no certificate for ${domains.join(', ')}: ${messageOf(error)}; tried again in ${Math.round(retryMs / 60_000)} min`,
      );
      return retryMs;
    }
  }

  #renewalOf({ validFrom, validTo }: LoadedCertificate): number {
    return validTo - Math.min(this.#options.renewBeforeMs, (validTo - validFrom) * LATEST_SHARE);
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const ms = await this.look();
      await pause(ms, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** null: there is none, or it cannot be used. */
export function presentIn(file: string): LoadedCertificate | null {
  const text = readSecret(file);
  if (text === null) return null;
  try {
    return loadCertificate({ cert: text, key: text }, file);
  } catch {
    return null;
  }
}

function covers({ hosts }: LoadedCertificate, domains: readonly string[]): boolean {
  return domains.every((domain) => hosts.includes(domain.toLowerCase()));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
