/** Cloudflare's Origin CA, as a stand-in for its API sees it, and certificates that are renewed whatever goes wrong. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { obtainFromCloudflare } from '../../src/tls/cloudflare.ts';
import { CertificateKeeper } from '../../src/tls/keeper.ts';
import { makeSelfSigned } from '../../src/tls/self-signed.ts';
import { makeTicketSecret, TicketKeys, ticketTime } from '../../src/tls/ticket-keys.ts';
import { keyPem, makeKey, selfSign } from '../../src/tls/write-certificate.ts';

const DAY_MS = 86_400_000;
const TOKEN = 'secret-token';

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly content: { csr: string; hostnames: string[]; request_type: string; requested_validity: number };
}

/** Answers what the API documents; the certificate is one that fits no key, as only an authority could sign for the request. */
async function startApi(
  answer: (asked: Asked) => [status: number, content: object],
): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = '';
    for await (const piece of request) text += String(piece);
    const { method, url, headers } = request;
    const one = { method, url, authorization: headers.authorization, content: JSON.parse(text) as Asked['content'] };
    asked.push(one);
    const [status, content] = answer(one);
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`, asked };
}

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'vrypt-issue-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test('a certificate is asked for as the API documents it', async () => {
  const issued = makeSelfSigned(['example.com', '*.example.com']).cert;
  const { url, asked } = await startApi(() => [200, { success: true, errors: [], result: { certificate: issued } }]);
  const options = { apiToken: TOKEN, apiUrl: url, validityDays: 400 };
  const { cert, key } = await obtainFromCloudflare(['example.com', '*.example.com'], options);
  expect(cert).toBe(issued);
  expect(key).toContain('BEGIN PRIVATE KEY');
  const [{ method, url: target, authorization, content } = {} as Asked] = asked;
  expect([method, target, authorization]).toEqual(['POST', '/client/v4/certificates', `Bearer ${TOKEN}`]);
  expect(content.hostnames).toEqual(['example.com', '*.example.com']);
  expect([content.request_type, content.requested_validity]).toEqual(['origin-ecc', 365]);
  expect(content.csr).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----/);
});

test('a refusal says why, without the token', async () => {
  const { url } = await startApi(() => [
    403,
    { success: false, errors: [{ code: 1010, message: 'Failed to validate requested hostname' }], result: null },
  ]);
  const asking = obtainFromCloudflare(['a.test'], { apiToken: TOKEN, apiUrl: url, validityDays: 30 });
  await expect(asking).rejects.toThrow(/answered 403: Failed to validate requested hostname \(1010\)/);
  const insecure = obtainFromCloudflare(['a.test'], {
    apiToken: TOKEN,
    apiUrl: 'http://example.com',
    validityDays: 30,
  });
  await expect(insecure).rejects.toThrow(/must begin with https/);
});

function pairOf(days: number): { cert: string; key: string } {
  const key = makeKey();
  const now = Date.now();
  return {
    cert: selfSign({ names: ['a.test'], key, from: new Date(now - DAY_MS), to: new Date(now + days * DAY_MS) }),
    key: keyPem(key),
  };
}

test('a certificate is renewed before it expires, and failures leave the old one', async () => {
  const file = path.join(folder(), 'sub', 'issued.pem');
  const said: string[] = [];
  let next: () => { cert: string; key: string } = () => pairOf(90);
  let calls = 0;
  const keeper = new CertificateKeeper({
    file,
    domains: ['a.test'],
    renewBeforeMs: 30 * DAY_MS,
    obtain: async () => {
      calls++;
      return next();
    },
    report: (message) => said.push(message),
  });
  const now = Date.now();
  await keeper.look(now);
  expect(calls).toBe(1);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await keeper.look(now);
  await keeper.look(now + 50 * DAY_MS);
  expect(calls).toBe(1);
  const old = readFileSync(file, 'latin1');
  next = () => {
    throw new Error('the authority is down');
  };
  const [first, second] = [await keeper.look(now + 61 * DAY_MS), await keeper.look(now + 61 * DAY_MS)];
  expect(second).toBe(2 * first);
  expect(said[0]).toContain('no certificate for a.test: the authority is down; tried again in 1 min');
  // A certificate of another key.
  next = () => ({ ...pairOf(90), key: keyPem(makeKey()) });
  await keeper.look(now + 61 * DAY_MS);
  expect(said[2]).toContain('the key must belong to the certificate');
  expect(readFileSync(file, 'latin1')).toBe(old);
  next = () => pairOf(200);
  await keeper.look(now + 61 * DAY_MS);
  expect(readFileSync(file, 'latin1') === old).toBe(false);
  expect(said).toHaveLength(3);
});

test('a file that is broken, or for other names, is replaced', async () => {
  const file = path.join(folder(), 'issued.pem');
  writeFileSync(file, 'rubbish');
  let calls = 0;
  const obtain = async () => {
    calls++;
    return pairOf(90);
  };
  const options = { file, renewBeforeMs: DAY_MS, obtain, report: () => {} };
  await new CertificateKeeper({ ...options, domains: ['a.test'] }).look();
  await new CertificateKeeper({ ...options, domains: ['a.test'] }).look();
  expect(calls).toBe(1);
  await new CertificateKeeper({ ...options, domains: ['a.test', 'b.test'] }).look();
  expect(calls).toBe(2);
});

test('a self-signed certificate is valid for its names, and signed by its key', () => {
  const { cert, key } = makeSelfSigned(['localhost', '*.a.test', '127.0.0.1', '::1']);
  const made = new X509Certificate(cert);
  expect(made.subjectAltName).toBe('DNS:localhost, DNS:*.a.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
  expect(made.verify(createPublicKey(key))).toBe(true);
  expect(made.checkHost('x.a.test')).toBe('*.a.test');
});

test('ticket keys follow no clock that somebody sets: a jump ahead does not use up those of later', () => {
  const keys = new TicketKeys(makeTicketSecret(), 3_600_000);
  const first = keys.at();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 365 * 86_400_000 });
  onTestFinished(() => void vi.useRealTimers());
  expect(keys.at() === first).toBe(true);
  expect(keys.secret.since).toBeLessThanOrEqual(ticketTime());
});

test('workers that start at different times have the same ticket keys, and replace them together', () => {
  const secret = makeTicketSecret();
  const now = secret.since;
  const [early, late] = [new TicketKeys(secret, 1000), new TicketKeys(secret, 1000)];
  const first = early.at(now);
  expect(early.at(now + 999) === first).toBe(true);
  const second = early.at(now + 2500);
  expect(second.equals(first)).toBe(false);
  expect(late.at(now + 2000).equals(second)).toBe(true);
  expect(new TicketKeys(early.secret, 1000).at(now + 2999).equals(second)).toBe(true);
  expect(early.at(now).equals(second)).toBe(true);
});
