/** Certificates for tests, ready for a server. */
import { Certificates, type TlsPolicy } from '../../src/tls/certificates.ts';
import { type CertificateSource, loadCertificate } from '../../src/tls/load-certificate.ts';
import { makeTicketSecret, TicketKeys } from '../../src/tls/ticket-keys.ts';

export const POLICY: TlsPolicy = { minVersion: 'TLSv1.2', ciphers: null, protocols: ['http/1.1'] };

export function tlsContexts(sources: readonly CertificateSource[], policy: Partial<TlsPolicy> = {}): Certificates {
  const loaded = sources.map((source) => loadCertificate(source, 'the test'));
  return new Certificates(loaded, { ...POLICY, ...policy }, new TicketKeys(makeTicketSecret(), 3_600_000));
}
