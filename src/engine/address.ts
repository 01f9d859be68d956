/** The two ends of a connection. */

/** One end of a connection. */
export interface Address {
  /** An IP address, IPv4 as such even on a socket for both families; of a Unix socket its path, or "". */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6' | 'unix';
}

const MAPPED_IPV4 = '::ffff:';

/** An IPv4 client of a socket for both families is shown as IPv4. */
export function addressOf(address: string, port: number): Address {
  const isMapped = address.startsWith(MAPPED_IPV4) && address.includes('.');
  const plain = isMapped ? address.slice(MAPPED_IPV4.length) : address;
  return { address: plain, port, family: plain.includes(':') ? 'IPv6' : 'IPv4' };
}

/** Who is at the other end of a Unix socket, as the kernel saw it when the connection was made. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
