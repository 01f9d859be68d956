/** The certificates of a web server, kept up in its first thread: made, or got from an authority, renewed. Owns what does that. */
import { CertificateManager } from '../tls/managed.ts';
import type { WebConfig } from './config/web-config.ts';

export class WebCertificates {
  readonly #warn: (message: string) => void;
  #manager: CertificateManager | null = null;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Sees to it that there is a certificate. Throws if there is none and none may be made. */
  prepare({ tls }: WebConfig): void {
    const { automatic } = tls ?? {};
    const apiToken = automatic?.kind === 'cloudflare' ? automatic.apiToken.secret : null;
    const next = tls === null ? null : new CertificateManager({ config: tls, apiToken, warn: this.#warn });
    next?.prepare();
    this.#manager?.close();
    this.#manager = next;
  }

  /** Once all workers listen, because authorities ask them. */
  start(): void {
    this.#manager?.start();
  }

  close(): void {
    this.#manager?.close();
  }
}
