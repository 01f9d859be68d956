/** What a system error at the start means to the person who started the server. */
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Settings } from './settings.ts';

export function explainStartError(error: unknown, settings: Settings): string {
  const { code, message, name } = error as NodeJS.ErrnoException;
  const { labels } = settings;
  if (name === 'LookupError') return `${labels.host} ${message}`;
  const { unixPath } = settings;
  const reason = unixPath === undefined ? null : reasonOfSocket(unixPath, code);
  if (reason !== null) return `the socket ${unixPath} ${reason}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${placeOf(settings)} is in use (EADDRINUSE); ${adviceInUse(settings)}`;
    case 'EACCES':
    case 'EPERM':
      return `${placeOf(settings)} may not be opened by this user (${code})`;
    case 'EADDRNOTAVAIL':
      return `${labels.host} ${settings.host} does not belong to this machine (${code})`;
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return `${placeOf(settings)} cannot be listened on (${code})`;
    default:
      return message;
  }
}

function placeOf({ host, port, unixPath }: Settings): string {
  if (unixPath !== undefined) return `the socket ${unixPath}`;
  return host === undefined ? `port ${port}` : `port ${port} on ${host}`;
}

function adviceInUse({ sharesPort, unixPath, labels }: Settings): string {
  if (unixPath !== undefined) return 'a server already listens there';
  if (labels.share === null) return 'end the program that holds it, or choose another port';
  if (!sharesPort) return `${labels.share} joins a running vrypt-server of the same user`;
  return 'the program that holds it is not a vrypt-server of the same user, so it cannot be shared';
}

/** libuv reports a missing folder as EACCES, and bind(2) anything in the way as EADDRINUSE: the file system says more. */
function reasonOfSocket(file: string, code: string | undefined): string | null {
  switch (code) {
    case 'EADDRINUSE': {
      const found = statOf(file);
      return found === null || found.isSocket() ? null : 'exists and is not a socket';
    }
    case 'EACCES':
    case 'EPERM':
    case 'ENOENT':
    case 'ENOTDIR': {
      const folder = path.dirname(file);
      if (!path.isAbsolute(file) && isWorkingDirectoryDeleted()) {
        return `has no folder: the working directory was deleted (ENOENT)`;
      }
      if (statOf(folder)?.isDirectory() !== true)
        return `has no folder ${folder} (${code === 'EACCES' ? 'ENOENT' : code})`;
      return `may not be created by this user (${code})`;
    }
    default:
      return null;
  }
}

/** Of what a link leads to, or of the link if it leads nowhere. */
function statOf(file: string) {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? lstatSync(file, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

function isWorkingDirectoryDeleted(): boolean {
  try {
    process.cwd();
    return false;
  } catch {
    return true;
  }
}
