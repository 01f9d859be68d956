/** The address that a server listens on when it is told a host. */

/** Names are looked up, and what does that is loaded only for them. Rejects as `lookUp` does. */
export async function addressOfHost(host: string): Promise<string> {
  if (host.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(host)) return host;
  const { lookUp } = await import('./look-up.ts');
  const { addresses } = await lookUp(host);
  return addresses[0] as string;
}
