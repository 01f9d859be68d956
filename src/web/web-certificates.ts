/** The certificates of a web server, kept up in its first thread: made, or got from an authority, renewed. Owns what does that. */
import { CertificateManager } from '../tls/managed.ts';
import type { WebConfig } from './config/web-config.ts';

export class WebCertificates {
  readonly #warn: (message: string) => void;
  #manager: CertificateManager | null = null;
  /** Prepared, and not yet in the place of the other; `undefined`: there is none. */
  #next: CertificateManager | null | undefined;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Sees to it that there is a certificate. Throws if there is none and none may be made. */
  prepare({ tls }: WebConfig): void {
    const { automatic } = tls ?? {};
    const apiToken = automatic?.kind === 'cloudflare' ? automatic.apiToken.secret : null;
    const next = tls === null ? null : new CertificateManager({ config: tls, apiToken, warn: this.#warn });
    next?.prepare();
    this.#next = next;
  }

  /** Once all workers serve by what was prepared, because authorities ask them. */
  start(): void {
    if (this.#next === undefined) return;
    this.#manager?.close();
    this.#manager = this.#next;
    this.#next = undefined;
    this.#manager?.start();
  }

  close(): void {
    this.#manager?.close();
  }
}
