/** TLS of one worker of a web server, by its configuration. Replaced as a whole when there is a new one. Owns its certificates. */
import type { ChooseTls } from '../engine/tls-transport.ts';
import type { Certificates } from '../tls/certificates.ts';
import { openManagedTls } from '../tls/managed.ts';
import type { ServerTls } from '../tls/server-tls.ts';
import type { TicketSecret } from '../tls/ticket-keys.ts';
import type { TlsConfig } from './config/tls-config.ts';

export class WebTls {
  #current: ServerTls;
  /** Called when there are other certificates. */
  onReplaced: (() => void) | null = null;

  /** Throws a CertificateError that names the file. */
  constructor(config: TlsConfig, tickets: TicketSecret, report: (error: unknown) => void) {
    this.#current = openManagedTls(config, tickets, report);
    this.#watch();
  }

  readonly choose: ChooseTls = (hello) => this.#current.choose(hello);

  /** Certificates that may take the place of the present ones. Throws, and changes nothing, if it cannot. */
  prepare(config: TlsConfig, tickets: TicketSecret, report: (error: unknown) => void): ServerTls {
    return openManagedTls(config, tickets, report);
  }

  /** `next` is owned from now on. */
  take(next: ServerTls): void {
    this.#current.close();
    this.#current = next;
    this.#watch();
    this.onReplaced?.();
  }

  get certificates(): Certificates {
    return this.#current.certificates;
  }

  close(): void {
    this.#current.close();
  }

  #watch(): void {
    this.#current.onReplaced = () => this.onReplaced?.();
  }
}
