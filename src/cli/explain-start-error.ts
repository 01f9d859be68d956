/** What a system error at the start means to the person who started the server. */
import type { Settings } from './settings.ts';

export function explainStartError(error: unknown, settings: Settings): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `${placeOf(settings)} is in use (EADDRINUSE); ${adviceInUse(settings)}`;
    case 'EACCES':
    case 'EPERM':
      return `${placeOf(settings)} may not be opened by this user (${code})`;
    case 'EADDRNOTAVAIL':
      return `--host ${settings.host} does not belong to this machine (${code})`;
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return `${placeOf(settings)} cannot be listened on (${code})`;
    case 'ENOTFOUND':
    case 'ENODATA':
    case 'ETIMEOUT':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return `--host ${settings.host} was not found (${code})`;
    case 'ENOENT':
    case 'ENOTDIR':
      if (settings.unixPath !== undefined) return `${placeOf(settings)} has no folder (${code})`;
      return message;
    default:
      return message;
  }
}

function placeOf({ host, port, unixPath }: Settings): string {
  if (unixPath !== undefined) return `the socket ${unixPath}`;
  return host === undefined ? `port ${port}` : `port ${port} on ${host}`;
}

function adviceInUse({ sharesPort, unixPath }: Settings): string {
  if (unixPath !== undefined) return 'a server already listens there';
  if (!sharesPort) return '--share joins a running vrypt-server of the same user';
  return 'the program that holds it is not a vrypt-server of the same user, so it cannot be shared';
}
