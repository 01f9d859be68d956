/** What may have been meant by a first argument that is neither a port nor a command. */
import { nearest } from '../rules/nearest.ts';

/** For the end of a message; may be empty. */
export function hintFor(text: string, commands: readonly string[]): string {
  const meant = meantBy(text, commands);
  if (meant !== null) return `; did you mean ${meant}?`;
  return /^[a-z-]+$/i.test(text) ? `; the commands are ${commands.join(', ')}` : '';
}

function meantBy(text: string, commands: readonly string[]): string | null {
  const word = text.toLowerCase();
  if (word === 'help' || word === 'version') return `--${word}`;
  const near = nearest(word, commands);
  if (near !== undefined) return near;
  if (/\.toml$/.test(word)) return `web ${text}`;
  if (/\.[cm]?[jt]s$/.test(word)) return `run ${text}`;
  if (/^https?:\/\/|^[a-z][a-z0-9.-]*:\d+$/.test(word)) return `proxy ${text}`;
  return /^\.{0,2}\/|^\.$/.test(text) ? `files ${text}` : null;
}
