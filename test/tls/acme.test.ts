/** Certificates from Let's Encrypt's test server: Debian's `pebble`. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openSecure } from '../../src/engine/handshake.ts';
import { openTlsTransport } from '../../src/engine/tls-transport.ts';
import { reply } from '../../src/http/made-reply.ts';
import type { ChallengeType } from '../../src/tls/acme-challenges.ts';
import { obtainByAcme } from '../../src/tls/acme-obtain.ts';
import type { LoadedCertificate } from '../../src/tls/load-certificate.ts';
import { CertificateManager, challengeAnswer, type ManagedTlsConfig, openManagedTls } from '../../src/tls/managed.ts';
import { makeTicketSecret } from '../../src/tls/ticket-keys.ts';
import { vrypt } from '../app.ts';
import { LIMITS } from '../engine/limits.ts';
import { areInstalled } from '../installed.ts';
import { type Pebble, startPebble } from './pebble.ts';

const DAY_MS = 86_400_000;

const isTested = areInstalled('certificates by ACME', { pebble: 'pebble', 'pebble-challtestsrv': 'pebble' });
beforeEach((context) => {
  if (!isTested) context.skip();
});

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'vrypt-acme-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function configOf(pebble: Pebble, directory: string, challenge: ChallengeType, domains: string[]): ManagedTlsConfig {
  const { directoryUrl, caFile, dnsHook } = pebble;
  return {
    certificates: [],
    automatic: {
      kind: 'acme',
      directoryUrl,
      email: 'a@example.com',
      challenge,
      dnsHook,
      caFile,
      renewBeforeMs: DAY_MS,
    },
    domains,
    selfSigned: true,
    directory,
    minVersion: 'TLSv1.2',
    ciphers: null,
    http2: true,
    ticketRotationMs: DAY_MS,
  };
}

/** A server where pebble looks for proofs: HTTP and TLS. */
async function startServer(pebble: Pebble, config: ManagedTlsConfig): Promise<void> {
  const transport = await openTlsTransport('handle');
  const engine = new Engine({
    handler: (call) => {
      const proof = challengeAnswer(config, call.path);
      return proof === null ? vrypt(call) : reply(200, { 'Content-Type': 'application/octet-stream' }, proof);
    },
    limits: LIMITS,
    transport,
    counters: createCounters(1),
    worker: 0,
    report: () => {},
  });
  const tls = openManagedTls(config, makeTicketSecret(), () => {});
  onTestFinished(() => {
    engine.close();
    tls.close();
  });
  const where = { address: '127.0.0.1', backlog: 16, reusePort: false };
  await engine.listen({ ...where, port: pebble.httpPort });
  await engine.listen({ ...where, port: pebble.tlsPort }, openSecure(transport, tls.choose));
}

async function issuerSeen(port: number, servername: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const issuer = String(socket.getPeerCertificate().issuer.CN);
  socket.destroy();
  return issuer;
}

describe.each(['http-01', 'tls-alpn-01', 'dns-01'] as const)('by %s', (challenge) => {
  test('a server starts with a certificate of its own, gets one, and serves it without a restart', async () => {
    const directory = folder();
    const pebble = await startPebble(directory);
    const domains = challenge === 'dns-01' ? ['a.test', '*.a.test'] : ['a.test', 'b.test'];
    const config = configOf(pebble, directory, challenge, domains);
    const warnings: string[] = [];
    const renewed = Promise.withResolvers<LoadedCertificate>();
    const manager = new CertificateManager({
      config,
      apiToken: null,
      warn: (message) => {
        warnings.push(message);
        if (message.startsWith('no certificate')) renewed.reject(new Error(message));
      },
      onRenewed: renewed.resolve,
    });
    onTestFinished(() => manager.close());
    manager.prepare();
    await startServer(pebble, config);
    expect(await issuerSeen(pebble.tlsPort, 'a.test')).toBe('a.test');
    manager.start();
    const { hosts, validTo } = await renewed.promise;
    expect([...hosts].sort()).toEqual([...domains].sort());
    expect(validTo).toBeGreaterThan(Date.now());
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('one of our own');
    expect(statSync(path.join(directory, 'issued.pem')).mode & 0o777).toBe(0o600);
    const proofs = path.join(directory, 'challenges', challenge);
    if (challenge !== 'dns-01') expect(readdirSync(proofs)).toEqual([]);
    for (;;) {
      if ((await issuerSeen(pebble.tlsPort, 'a.test')).startsWith('Pebble')) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});

test('a name that cannot be proven is refused with the reason, and the proof is taken away', async () => {
  const directory = folder();
  const pebble = await startPebble(directory);
  const options = { ...pebble, email: null, directory, ca: null, challenge: 'http-01' as const };
  await expect(obtainByAcme(['a.test'], { ...options })).rejects.toThrow(/cannot be asked/);
  const ca = readFileSync(pebble.caFile, 'latin1');
  await expect(obtainByAcme(['a.test'], { ...options, ca })).rejects.toThrow(/the http-01 proof of a.test is invalid/);
  expect(readdirSync(path.join(directory, 'challenges', 'http-01'))).toEqual([]);
  await expect(obtainByAcme(['*.a.test'], { ...options, ca })).rejects.toThrow(/dns-01 only/);
});

test('a hook that fails says why', async () => {
  const directory = folder();
  const pebble = await startPebble(directory);
  const ca = readFileSync(pebble.caFile, 'latin1');
  const dnsHook = path.join(directory, 'bad-hook');
  writeFileSync(dnsHook, '#!/bin/sh\necho no such zone >&2\nexit 1\n');
  chmodSync(dnsHook, 0o755);
  const options = { ...pebble, email: null, directory, ca, challenge: 'dns-01' as const, dnsHook };
  await expect(obtainByAcme(['a.test'], options)).rejects.toThrow(/no such zone/);
});
