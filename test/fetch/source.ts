/** A request as the engine passes it on, made from plain values; it records what is read. */
import type { RequestBody, RequestSource } from '../../src/fetch/source.ts';

export interface Given {
  readonly method?: string;
  readonly target?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  /** Available at once, unless `isLate`. */
  readonly content?: string | Uint8Array;
  readonly isLate?: boolean;
  readonly signal?: AbortSignal;
}

export class TestSource implements RequestSource {
  readonly touched: string[] = [];
  readonly waitedFor: Promise<unknown>[] = [];
  readonly #given: Given;

  constructor(given: Given = {}) {
    this.#given = given;
  }

  get method(): string {
    return this.#given.method ?? 'GET';
  }

  get target(): string {
    return this.#given.target ?? '/';
  }

  get remote(): { address: string; port: number; family: string } {
    return { address: '192.0.2.1', port: 4711, family: 'IPv4' };
  }

  get params(): Record<string, string> {
    return { id: '5' };
  }

  get signal(): AbortSignal {
    this.touched.push('signal');
    return this.#given.signal ?? new AbortController().signal;
  }

  get body(): RequestBody {
    this.touched.push('body');
    const { content, isLate = false } = this.#given;
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : (content ?? new Uint8Array(0));
    const take = (how: string) => {
      if (this.touched.includes('bytes') || this.touched.includes('stream')) throw new TypeError('read twice');
      this.touched.push(how);
    };
    return {
      length: bytes.byteLength,
      now: isLate ? null : bytes,
      takeText: () => {
        if (isLate) return null;
        take('bytes');
        return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      },
      bytes: async () => {
        take('bytes');
        return bytes.slice();
      },
      stream: () => {
        take('stream');
        return new ReadableStream({
          pull(controller) {
            for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
            controller.close();
          },
        });
      },
    };
  }

  header(name: string): string | null {
    const values = this.#fields
      .filter(([field]) => field.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  }

  fields(): Iterable<readonly [string, string]> {
    this.touched.push('fields');
    return this.#fields;
  }

  waitUntil(work: Promise<unknown>): void {
    this.waitedFor.push(work);
  }

  get #fields(): readonly (readonly [string, string])[] {
    return this.#given.fields ?? [['Host', 'example.com']];
  }
}
