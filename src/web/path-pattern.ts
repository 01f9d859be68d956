/** Paths of routes: `/exact`, `/prefix/*`, `*.suffix`, `*`; and the form of a request's path that they are compared with. */

export interface PathPattern {
  /** Where the part begins that `/*` at the end stands for (its slash), 0 without one, -1: does not match. */
  match(path: string): number;
}

export function compilePattern(pattern: string): PathPattern {
  if (pattern === '*' || pattern === '/*') return { match: () => 0 };
  if (pattern.startsWith('*')) {
    const suffix = pattern.slice(1);
    return { match: (path) => (path.endsWith(suffix) ? 0 : -1) };
  }
  if (!pattern.endsWith('*')) return { match: (path) => (path === pattern ? 0 : -1) };
  const prefix = pattern.slice(0, -1);
  if (!prefix.endsWith('/')) return { match: (path) => (path.startsWith(prefix) ? 0 : -1) };
  const folder = prefix.slice(0, -1);
  return {
    match: (path) => {
      if (path.startsWith(prefix)) return folder.length;
      // What protects /admin/* must hold for /admin too.
      return path === folder ? folder.length : -1;
    },
  };
}

/** The first that matches, as `PathPattern.match` says. */
export function matchAny(patterns: readonly PathPattern[], path: string): number {
  for (let i = 0; i < patterns.length; i++) {
    const at = (patterns[i] as PathPattern).match(path);
    if (at >= 0) return at;
  }
  return -1;
}

/**
 * The path with escapes decoded, slashes merged and dot segments resolved, so that no spelling leads past a route. Null for what
 * cannot be decoded, or leads above the root. Nearly every path is in this form already.
 */
export function normalPath(path: string): string | null {
  if (path.indexOf('%') < 0 && path.indexOf('//') < 0 && path.indexOf('/.') < 0 && path.indexOf('\\') < 0) return path;
  const decoded = decode(path);
  if (decoded === null) return null;
  const segments: string[] = [];
  const parts = decoded.split(/[/\\]+/);
  for (const part of parts.slice(1)) {
    if (part === '..') {
      if (segments.pop() === undefined) return null;
    } else if (part !== '.') segments.push(part);
  }
  const last = parts.at(-1);
  if (last === '.' || last === '..') segments.push('');
  return `/${segments.filter((part, index) => part !== '' || index === segments.length - 1).join('/')}`;
}

/** Whether it says "." or ".." somewhere, in any spelling. */
export function hasDotSegments(path: string): boolean {
  if (path.indexOf('%') < 0 && path.indexOf('/.') < 0 && path.indexOf('\\') < 0) return false;
  const decoded = decode(path);
  return decoded === null || /[/\\]\.{1,2}(?=[/\\]|$)/.test(decoded);
}

/** A "%" that starts no escape stays: browsers send it. */
function decode(path: string): string | null {
  if (!path.includes('%')) return path;
  try {
    const decoded = decodeURIComponent(path.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'));
    return decoded.includes('\0') ? null : decoded;
  } catch {
    return null;
  }
}
