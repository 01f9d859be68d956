/** What a system error at the start means to the person who started the server. */
import type { Settings } from './settings.ts';

export function explainStartError(error: unknown, { host, port }: Settings): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use (EADDRINUSE); --share joins a running vrypt-server of the same user`;
    case 'EACCES':
    case 'EPERM':
      return `port ${port} on ${host} may not be opened by this user (${code})`;
    case 'EADDRNOTAVAIL':
      return `--host ${host} does not belong to this machine (${code})`;
    case 'EAFNOSUPPORT':
    case 'EINVAL':
      return `--host ${host} cannot be listened on (${code})`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return `--host ${host} was not found (${code})`;
    default:
      return message;
  }
}
