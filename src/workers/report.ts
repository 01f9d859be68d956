/** Unexpected errors, on stderr. */
import { writeSync } from 'node:fs';

/** With its stack. */
export function reportError(worker: number, error: unknown): void {
  reportText(`worker ${worker}: ${textOf(error)}`);
}

export function reportText(text: string): void {
  try {
    writeSync(2, `vrypt-server: ${text}\n`);
  } catch {
    // Nobody reads stderr any more.
  }
}

/** Control characters are escaped, except line ends: nothing that a client sent may steer a terminal. */
export function textOf(error: unknown): string {
  return escapeControls(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

export function escapeControls(text: string): string {
  let safe = '';
  for (const character of text) {
    const code = character.charCodeAt(0);
    const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
    safe += isControl && character !== '\n' ? `\\x${code.toString(16).padStart(2, '0')}` : character;
  }
  return safe;
}
