/** A folder of real files for a test, and requests for them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type FilePlan, isFileSource } from '../../src/files/file-plan.ts';

export class Folder {
  readonly path: string = realpathSync(mkdtempSync(path.join(tmpdir(), 'vrypt-files-')));

  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    for (const [name, content] of Object.entries(files)) this.write(name, content);
  }

  /** The full path. */
  at(name: string): string {
    return path.join(this.path, name);
  }

  write(name: string, content: string | Uint8Array): string {
    mkdirSync(path.dirname(this.at(name)), { recursive: true });
    writeFileSync(this.at(name), content);
    return this.at(name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

export function request(path: string, fields: Readonly<Record<string, string>> = {}, method = 'GET') {
  const [target = '', query = ''] = path.split('?');
  return { method, path: target, query, header: (name: string) => fields[name] ?? null };
}

/** An answer's whole content as latin1, read as it would be sent, or "cut". Closes it. */
export function contentOf(plan: FilePlan | null, pieceSize = 1000): string {
  const content = plan?.content ?? null;
  if (!isFileSource(content)) return content === null ? '' : Buffer.from(content).toString('latin1');
  const buffer = Buffer.alloc(pieceSize);
  let text = '';
  try {
    while (text.length < content.length) {
      const count = content.readInto(buffer, text.length);
      if (count <= 0) return 'cut';
      text += buffer.toString('latin1', 0, count);
    }
    return text;
  } finally {
    content.close();
  }
}

export function fieldOf(plan: FilePlan | null, name: string): string | null {
  return plan?.fields.find(([one]) => one === name)?.[1] ?? null;
}
