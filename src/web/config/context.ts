/** What a configuration needs from outside: where its paths start, the environment, and files that hold secrets. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Faults, KeyPath } from './fault.ts';
import type { WrittenSecret } from './schema-values.ts';
import type { Secret } from './secret.ts';

export interface ConfigContext {
  /** Relative paths start here: the folder of the file. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
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
      this.faults.add(key, `must be a file that can be read, got ${JSON.stringify(written)} (${codeOf(error)})`);
    }
    return full;
  }

  folder(key: KeyPath, written: string): string {
    const full = this.path(written);
    try {
      if (statSync(full).isDirectory()) return full;
      this.faults.mustBe(key, 'a directory', written);
    } catch (error) {
      this.faults.add(key, `must be a directory, got ${JSON.stringify(written)} (${codeOf(error)})`);
    }
    return full;
  }

  text(key: KeyPath, written: string): string {
    try {
      return readFileSync(this.path(written), 'utf8');
    } catch (error) {
      this.faults.add(key, `must be a file that can be read, got ${JSON.stringify(written)} (${codeOf(error)})`);
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
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'error';
}
