/** Certificates and protocols of TLS listeners, as data: what `src/tls` needs, and the secrets that only a configuration holds. */
import type { AcmeConfig, CloudflareConfig, ManagedTlsConfig } from '../../tls/managed.ts';
import type { Secret } from './secret.ts';

export interface TlsConfig extends ManagedTlsConfig {
  readonly automatic: AutomaticCertificates | null;
  /** On the UDP ports of the same numbers. */
  readonly http3: boolean;
  /** Value of Strict-Transport-Security; null: none. */
  readonly hsts: string | null;
}

export type AutomaticCertificates = AcmeConfig | CloudflareAccount;

export interface CloudflareAccount extends CloudflareConfig {
  readonly apiToken: Secret;
  readonly zoneId: string | null;
}
