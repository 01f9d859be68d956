/** Let's Encrypt's ACME test server with its DNS, from Debian's package `pebble`; each ends with its test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { makeSelfSigned } from '../../src/tls/self-signed.ts';

export interface Pebble {
  readonly directoryUrl: string;
  /** Of its own certificate. */
  readonly caFile: string;
  /** Where it looks for proofs. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** A program that sets DNS records. */
  readonly dnsHook: string;
}

export async function startPebble(folder: string): Promise<Pebble> {
  const [api, management, httpPort, tlsPort, dns, records] = await freePorts(6);
  const { cert, key } = makeSelfSigned();
  const caFile = path.join(folder, 'pebble.pem');
  writeFileSync(caFile, cert);
  writeFileSync(path.join(folder, 'pebble.key'), key);
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${api}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate: caFile,
      privateKey: path.join(folder, 'pebble.key'),
      httpPort,
      tlsPort,
      ocspResponderURL: '',
      externalAccountBindingRequired: false,
    },
  };
  const configFile = path.join(folder, 'pebble.json');
  writeFileSync(configFile, JSON.stringify(config));
  const dnsArgs = ['-dns01', `127.0.0.1:${dns}`, '-http01', '', '-https01', '', '-tlsalpn01', ''];
  const addresses = ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', '-management', `127.0.0.1:${records}`];
  await start('pebble-challtestsrv', [...dnsArgs, ...addresses], /Starting management server/);
  const strict = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' };
  await start(
    'pebble',
    ['-config', configFile, '-dnsserver', `127.0.0.1:${dns}`],
    /Listening on|ACME directory/,
    strict,
  );
  const dnsHook = path.join(folder, 'dns-hook');
  const url = `http://127.0.0.1:${records}`;
  const script = `#!/bin/sh
if [ "$1" = add ]; then curl -fsS -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ${url}/set-txt
else curl -fsS -d "{\\"host\\":\\"$2.\\"}" ${url}/clear-txt
fi
`;
  writeFileSync(dnsHook, script, { mode: 0o755 });
  return { directoryUrl: `https://127.0.0.1:${api}/dir`, caFile, httpPort, tlsPort, dnsHook };
}

async function start(program: string, args: string[], ready: RegExp, env: object = {}): Promise<void> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => end(child));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    const look = (piece: Buffer) => {
      said += piece.toString();
      if (ready.test(said)) resolve();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('error', (error) =>
      reject(new Error(`${program} cannot be started (Debian: pebble): ${error.message}`)),
    );
    child.once('exit', () => reject(new Error(`${program} ended: ${said}`)));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

type Ports = [number, number, number, number, number, number];

async function freePorts(count: number): Promise<Ports> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as Ports;
}
