/**
 * On which line of a TOML file a key stands. The parser tells positions of syntax errors only; this reads a text that it has
 * accepted, so it looks for no errors.
 */
import type { KeyPath } from './fault.ts';

const SEPARATOR = '\0';

/** The line, from 1, of the key or of what it stands in; 1 if there is neither. */
export function lineOf(toml: string, path: KeyPath): number {
  const lines = readLines(toml);
  for (let length = path.length; length > 0; length--) {
    const line = lines.get(path.slice(0, length).join(SEPARATOR));
    if (line !== undefined) return line;
  }
  return 1;
}

/** Lines by path. */
function readLines(toml: string): Map<string, number> {
  const lines = new Map<string, number>();
  /** Tables of an array so far, by its path. */
  const counts = new Map<string, number>();
  let table: string[] = [];
  const scanner = new Scanner(toml);
  const note = (path: readonly string[], line: number) => {
    for (let length = 1; length <= path.length; length++) {
      const key = path.slice(0, length).join(SEPARATOR);
      if (!lines.has(key)) lines.set(key, line);
    }
  };
  for (let at = scanner.nextStatement(); at !== null; at = scanner.nextStatement()) {
    if (at.kind === 'key') {
      note([...table, ...at.path], at.line);
      continue;
    }
    table = [];
    for (const [index, part] of at.path.entries()) {
      table.push(part);
      const key = table.join(SEPARATOR);
      const isLast = index === at.path.length - 1;
      if (isLast && at.kind === 'arrayTable') counts.set(key, (counts.get(key) ?? -1) + 1);
      const count = counts.get(key);
      if (count !== undefined) table.push(String(count));
    }
    note(table, at.line);
  }
  return lines;
}

interface Statement {
  readonly kind: 'key' | 'table' | 'arrayTable';
  readonly path: readonly string[];
  readonly line: number;
}

class Scanner {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  nextStatement(): Statement | null {
    for (;;) {
      this.#skip(/[ \t\r\n]/);
      const start = this.#text[this.#at];
      if (start === undefined) return null;
      if (start === '#') {
        this.#skip(/[^\n]/);
        continue;
      }
      const line = this.#line;
      if (start !== '[') {
        const path = this.#readKey();
        this.#skipValue();
        return { kind: 'key', path, line };
      }
      const isArray = this.#text.startsWith('[[', this.#at);
      this.#at += isArray ? 2 : 1;
      const path = this.#readKey();
      this.#skip(/[^\n]/);
      return { kind: isArray ? 'arrayTable' : 'table', path, line };
    }
  }

  /** `a."b.c".d`, up to "=" or "]". */
  #readKey(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.#skip(/[ \t.]/);
      const start = this.#text[this.#at];
      if (start === undefined || start === '=' || start === ']' || start === '\n') break;
      const from = this.#at;
      if (start === '"' || start === "'") {
        this.#skipString();
        const quoted = this.#text.slice(from, this.#at);
        parts.push(start === "'" ? quoted.slice(1, -1) : unescaped(quoted));
      } else {
        this.#skip(/[^ \t.=\]\n]/);
        parts.push(this.#text.slice(from, this.#at));
      }
    }
    if (this.#text[this.#at] === '=') this.#at++;
    return parts;
  }

  /** Arrays and inline tables may take several lines. */
  #skipValue(): void {
    let depth = 0;
    for (let start = this.#text[this.#at]; start !== undefined; start = this.#text[this.#at]) {
      if (start === '\n' && depth === 0) return;
      if (start === '"' || start === "'") {
        this.#skipString();
        continue;
      }
      if (start === '#') {
        this.#skip(/[^\n]/);
        continue;
      }
      if (start === '[' || start === '{') depth++;
      if (start === ']' || start === '}') depth--;
      this.#step();
    }
  }

  #skipString(): void {
    const quote = this.#text[this.#at] as string;
    const end = this.#text.startsWith(quote.repeat(3), this.#at) ? quote.repeat(3) : quote;
    this.#at += end.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#step();
      this.#step();
    }
    this.#at += end.length;
  }

  #skip(these: RegExp): void {
    while (this.#at < this.#text.length && these.test(this.#text[this.#at] as string)) this.#step();
  }

  #step(): void {
    if (this.#text[this.#at] === '\n') this.#line++;
    this.#at++;
  }
}

function unescaped(quoted: string): string {
  try {
    return JSON.parse(quoted);
  } catch {
    return quoted.slice(1, -1);
  }
}
