/** What a configuration needs from outside: where its paths start, the environment, and files that hold secrets. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CertificateFiles } from '../../tls/managed.ts';
import type { Faults, KeyPath } from './fault.ts';
import type { WrittenSecret } from './schema-values.ts';
import type { Secret } from './secret.ts';

export interface ConfigContext {
  /** Relative paths start here: the folder of the file. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Says why a certificate and its key, which are there, cannot be used; null: they can. Without it nobody looks into them. */
  readonly judgeCertificate?: (files: CertificateFiles) => string | null;
}

export class Resolver {
  readonly faults: Faults;
  readonly #context: ConfigContext;

  constructor(context: ConfigContext, faults: Faults) {
    this.#context = context;
    this.faults = faults;
  }

  /** Absolute. */
  path(written: string): string {
    return path.resolve(this.#context.directory, written);
  }

  optionalPath(written: string | undefined): string | null {
    return written === undefined ? null : this.path(written);
  }

  /** A path that must lead to a file that can be read. */
  file(key: KeyPath, written: string): string {
    const full = this.path(written);
    try {
      if (statSync(full).isFile()) return full;
      this.faults.mustBe(key, 'a file', written);
    } catch (error) {
      this.#addUnread(key, 'a file that can be read', written, error);
    }
    return full;
  }

  /**
   * A page of a site: in the folder that it serves, where nginx and Caddy look for it, or beside the configuration. A slash at its
   * start may stand for either root.
   */
  page(key: KeyPath, written: string, served: string | null): string {
    if (served === null) return this.file(key, written);
    const beside = this.path(written);
    const inside = path.join(served, written);
    const places = path.isAbsolute(written) ? [beside, inside] : [inside, beside];
    const found = places.find(isFile);
    if (found !== undefined) return found;
    const rule = 'must be a file in the folder of files, or beside the configuration';
    this.faults.add(key, `${rule}, got ${JSON.stringify(written)}, but there is no ${places.join(' and no ')}`);
    return inside;
  }

  folder(key: KeyPath, written: string): string {
    const full = this.path(written);
    try {
      if (statSync(full).isDirectory()) return full;
      this.faults.mustBe(key, 'a directory', written);
    } catch (error) {
      this.#addUnread(key, 'a directory', written, error);
    }
    return full;
  }

  /** `key` is the table that has them. */
  certificate(
    key: KeyPath,
    written: { readonly cert: string; readonly key: string },
    hosts: readonly string[],
  ): CertificateFiles {
    const before = this.faults.list.length;
    const certFile = this.file([...key, 'cert'], written.cert);
    const files = { certFile, keyFile: this.file([...key, 'key'], written.key), hosts };
    if (this.faults.list.length > before) return files;
    const reason = this.#context.judgeCertificate?.(files) ?? null;
    if (reason !== null) this.faults.add([...key, 'cert'], `cannot be used: ${reason}`);
    return files;
  }

  text(key: KeyPath, written: string): string {
    try {
      return readFileSync(this.path(written), 'utf8');
    } catch (error) {
      this.#addUnread(key, 'a file that can be read', written, error);
      return '';
    }
  }

  secret(key: KeyPath, written: WrittenSecret): Secret {
    if (typeof written === 'string') return { secret: written };
    if ('file' in written) return { secret: this.text([...key, 'file'], written.file).trimEnd() };
    const value = this.#context.environment[written.env];
    if (value === undefined || value === '') this.faults.mustBe([...key, 'env'], 'a variable that is set', written.env);
    return { secret: value ?? '' };
  }

  #addUnread(key: KeyPath, rule: string, written: string, error: unknown): void {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    const full = this.path(written);
    const where = full === written ? code : `${full}: ${code}`;
    this.faults.add(key, `must be ${rule}, got ${JSON.stringify(written)} (${where})`);
  }
}

function isFile(full: string): boolean {
  try {
    return statSync(full).isFile();
  } catch {
    return false;
  }
}
