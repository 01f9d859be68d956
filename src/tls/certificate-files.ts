/** Certificates in files, and when these change. Owns the timer that looks at them. */
import { readFileSync, statSync } from 'node:fs';
import { CertificateError, type LoadedCertificate, loadCertificate } from './load-certificate.ts';
import type { TlsCertificate } from './options.ts';

const LOOK_MS = 5000;

/** Throws a CertificateError that names the option or the file. */
export function loadAll(certificates: readonly TlsCertificate[]): LoadedCertificate[] {
  return certificates.map((one, at) => {
    if (one.certFile === undefined) return loadCertificate(one, `certificate number ${at + 1}`);
    const { certFile, keyFile, passphrase, hosts } = one;
    const cert = read(certFile);
    const key = keyFile === certFile ? cert : read(keyFile);
    const label = keyFile === certFile ? certFile : `${certFile} and ${keyFile}`;
    return loadCertificate({ cert, key, passphrase, hosts }, label);
  });
}

export interface Watch {
  readonly files: readonly string[];
  /** Called in a later turn, once for each change. If it throws a CertificateError, files may be changing: it is called again. */
  readonly onChange: () => void;
  readonly report: (error: unknown) => void;
}

/** Looks at the files until the returned function is called. Does not keep the process alive. */
export function watchFiles({ files, onChange, report }: Watch): () => void {
  let seen = signatureOf(files);
  /** What failed already has been reported. */
  let failed: string | null = null;
  const timer = setInterval(() => {
    const now = signatureOf(files);
    if (now === seen) return;
    try {
      onChange();
      seen = now;
      failed = null;
    } catch (error) {
      if (failed !== now) report(error);
      failed = now;
    }
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

export function filesOf(certificates: readonly TlsCertificate[]): string[] {
  return certificates.flatMap(({ certFile, keyFile }) => (certFile === undefined ? [] : [certFile, keyFile as string]));
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CertificateError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** Also where a link leads. */
function signatureOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? '' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    })
    .join(' ');
}
