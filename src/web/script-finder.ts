/**
 * Which program of a folder a path stands for. Only a file that is there, below the folder, with the name of a program, is ever run:
 * whatever else a path says, and whatever somebody has uploaded.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { isBelow, statOf } from '../files/open-representation.ts';
import { matchAny, type PathPattern } from './path-pattern.ts';

/** A program, and what is left of the path behind it. */
export interface FoundScript {
  /** Below the folder, as URLs have it: `/sub/index.php`. */
  readonly name: string;
  readonly pathInfo: string;
}

/** `redirect`: to the same path with a slash at its end. `file`: no program, to be served as it is if it is there. */
export type Found = FoundScript | 'file' | 'redirect' | 'forbidden';

const INDEX = 'index.php';
const SCRIPT = /\.php$/;
/** Names that some server would run, and copies of such files: their text is nobody's business. */
const SOURCE = /\.(?:php\d?|phtml|phar|phps)(?:$|[^a-z0-9])/i;
/** Linux: of a path, and of a name in it. */
const MAX_PATH = 4095;

export class ScriptFinder {
  readonly #root: string;
  readonly #followsLinks: boolean;
  readonly #noScripts: readonly PathPattern[];

  /** `root` must exist. */
  constructor(root: string, followsLinks: boolean, noScripts: readonly PathPattern[]) {
    this.#root = realpathSync(root);
    this.#followsLinks = followsLinks;
    this.#noScripts = noScripts;
  }

  /** `urlPath` is decoded, without dot segments and empty ones. */
  find(urlPath: string): Found {
    if (urlPath.length > MAX_PATH || urlPath.includes('\0') || !isVisible(urlPath)) return 'forbidden';
    const mayRun = matchAny(this.#noScripts, urlPath) < 0;
    const script = mayRun ? this.#scriptIn(urlPath) : null;
    if (script !== null) return script;
    if (SOURCE.test(urlPath)) return 'forbidden';
    if (mayRun) {
      const isFolder = urlPath.endsWith('/');
      const index = isFolder ? `${urlPath}${INDEX}` : `${urlPath}/${INDEX}`;
      if (this.isScript(index)) return isFolder ? { name: index, pathInfo: '' } : 'redirect';
    }
    return 'file';
  }

  /** Whether it is a program that may be run. */
  isScript(urlPath: string): boolean {
    const full = path.join(this.#root, urlPath);
    if (statOf(full)?.isFile() !== true) return false;
    if (this.#followsLinks) return true;
    try {
      return isBelow(realpathSync(full), this.#root);
    } catch {
      return false;
    }
  }

  /** The first name that is a program; what follows is for it to read (RFC 3875 §4.1.5). */
  #scriptIn(urlPath: string): FoundScript | null {
    for (let end = urlPath.indexOf('.php'); end >= 0; end = urlPath.indexOf('.php', end + 1)) {
      const name = urlPath.slice(0, end + 4);
      const pathInfo = urlPath.slice(end + 4);
      if (pathInfo !== '' && !pathInfo.startsWith('/')) continue;
      if (SCRIPT.test(name) && this.isScript(name)) return { name, pathInfo };
    }
    return null;
  }
}

/** No name starts with a dot, but that for well-known files (RFC 8615). */
function isVisible(urlPath: string): boolean {
  return !urlPath.includes('/.') || (urlPath.startsWith('/.well-known/') && urlPath.indexOf('/.', 1) < 0);
}
