/** What a scanner of TLS asks, by OpenSSL's program: old protocols, weak ciphers, compression, names and protocols that nobody has. */
import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { areInstalled } from '../installed.ts';
import { startWeb } from '../web/start-web.ts';

const TOML = `
[[listeners]]
address = "127.0.0.1"
port = 0
tls = true
[ssl]
self_signed = true
domains = ["localhost"]
[[sites]]
hosts = ["localhost"]
respond = "1"
`;

describe.skipIf(!areInstalled('scans of TLS', { openssl: 'openssl' }))('a scanner', () => {
  const connect = async (args: readonly string[]): Promise<string> => {
    const { ports } = await startWeb(TOML);
    const all = ['s_client', '-connect', `127.0.0.1:${ports[0]}`, ...args];
    return new Promise((resolve) => {
      const child = spawn('openssl', all, { stdio: ['pipe', 'pipe', 'pipe'] });
      let said = '';
      for (const output of [child.stdout, child.stderr]) output.on('data', (data) => (said += data));
      child.stdin.end('Q\n');
      child.once('close', () => resolve(said));
    });
  };
  const any = ['-cipher', 'ALL:@SECLEVEL=0'];

  test.each([
    ['TLS 1.0', ['-tls1', ...any], 'protocol version'],
    ['TLS 1.1', ['-tls1_1', ...any], 'protocol version'],
    ['a key that is sent encrypted', ['-tls1_2', '-cipher', 'kRSA:@SECLEVEL=0'], 'handshake failure'],
    ['no encryption', ['-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0'], 'handshake failure'],
    ['no certificate', ['-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0'], 'handshake failure'],
    [
      'blocks in a chain',
      ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0'],
      'handshake failure',
    ],
    ['signatures of SHA-1', ['-tls1_2', '-sigalgs', 'ECDSA+SHA1', ...any], 'handshake failure'],
    ['another protocol', ['-alpn', 'foo'], 'no application protocol'],
  ])('is refused %s', async (_, args, alert) => {
    const said = await connect(args);
    expect(said).toContain(alert);
    expect(said).toContain('Cipher is (NONE)');
  });

  test('gets TLS 1.2 with an authenticated cipher, without compression, with secure renegotiation and extended secrets', async () => {
    const said = await connect(['-tls1_2', '-comp']);
    expect(said).toMatch(/Cipher is ECDHE-ECDSA-(AES\d+-GCM|CHACHA20)/);
    expect(said).toContain('Compression: NONE');
    expect(said).toContain('Secure Renegotiation IS supported');
    expect(said).toMatch(/Extended master secret: yes/);
  });

  test('gets the first certificate for a name that nobody has, and no page of any site', async () => {
    expect(await connect(['-servername', 'nobody.example'])).toContain('CN = localhost');
  });
});
