/** What a server with TLS is given, with all defaults. */
import type { Pem } from './load-certificate.ts';

/**
 * A certificate and its key, as PEM or as files of PEM. In `cert`, the server's certificate comes first, then those that lead to
 * its root. Files are looked at again every few seconds: new ones are used from the next handshake on, and bad ones are
 * reported and leave everything as it was.
 */
export type TlsCertificate =
  | {
      readonly cert: Pem;
      readonly key: Pem;
      readonly certFile?: undefined;
      readonly keyFile?: undefined;
      /** Of an encrypted key. */
      readonly passphrase?: string | undefined;
      /** Server names that get it; `*.` stands for one label. Default: those in the certificate. */
      readonly hosts?: readonly string[] | undefined;
    }
  | {
      readonly certFile: string;
      /** May be the same file. */
      readonly keyFile: string;
      readonly cert?: undefined;
      readonly key?: undefined;
      readonly passphrase?: string | undefined;
      readonly hosts?: readonly string[] | undefined;
    };

export interface TlsSettings {
  /** Further certificates, chosen by the name that the client asks for (SNI, RFC 6066 §3); unknown names get the first. */
  readonly certificates?: readonly TlsCertificate[] | undefined;
  /**
   * Instead of a certificate, one of our own, made at each start: for `localhost`, or for these names. Clients must be told to
   * trust it.
   */
  readonly selfSigned?: boolean | readonly string[] | undefined;
  /** Default 'TLSv1.2'. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** OpenSSL's list for TLS 1.2. Default: ECDHE with AES-GCM or ChaCha20. */
  readonly ciphers?: string | undefined;
  /** Keys of session tickets are replaced after this many milliseconds. Default 12 hours. */
  readonly ticketRotationMs?: number | undefined;
}

/** At least one certificate, or `selfSigned`. Renegotiation and compression are off; sessions resume on all workers by tickets. */
export type Tls = (TlsCertificate & TlsSettings) | TlsSettings;
