import { scryptSync } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { describe, expect, test } from 'vitest';
import { networkOf } from '../../src/web/guards/rate-limit.ts';
import { makeBuckets, TokenBuckets } from '../../src/web/guards/token-buckets.ts';
import { startWeb } from './start-web.ts';

const TRUSTING = 'server.http_port = 0\nserver.trusted_proxies = ["127.0.0.1"]\n';
const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });

describe('a rate limit', () => {
  test('answers 429 with Retry-After, counts each client alone, and lasts over a reload', async () => {
    const toml = `${TRUSTING}[[sites]]\nrespond = "ok"\nsecurity = { rate_limit = { requests = 3, per = "1h" } }`;
    const { get, take } = await startWeb(toml);
    for (let i = 0; i < 3; i++) expect((await get('/', from('192.0.2.1'))).status).toBe(200);
    const refused = await get('/', from('192.0.2.1'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(1100);
    expect((await get('/', from('192.0.2.2'))).status).toBe(200);
    await take(toml);
    expect((await get('/', from('192.0.2.1'))).status).toBe(429);
  });

  test('gives a client as many requests as it has waited for', () => {
    let now = 1000;
    const buckets = new TokenBuckets({ requests: 10, perMs: 1000, burst: 2 }, makeBuckets(), () => now);
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 0]);
    expect(buckets.take('a')).toBeCloseTo(100, 0);
    now += 100;
    expect(buckets.take('a')).toBe(0);
    expect(buckets.take('a')).toBeGreaterThan(0);
    now += 10_000;
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 0]);
    expect(buckets.take('a')).toBeGreaterThan(0);
  });

  test.each([1, 60, 1000, 1_000_000])('of %i a minute lets that many pass, over days', (requests) => {
    let now = 0;
    const buckets = new TokenBuckets({ requests, perMs: 60_000, burst: 1 }, makeBuckets(), () => now);
    for (let day = 0; day < 60; day++) {
      expect(buckets.take('a')).toBe(0);
      expect(buckets.take('a')).toBeGreaterThan(0);
      now += 86_400_000 / 7;
    }
  });

  test('is bounded: more clients than there is room for do not stop anybody', () => {
    const buckets = new TokenBuckets({ requests: 2, perMs: 60_000, burst: 2 }, makeBuckets(), () => 5);
    for (let i = 0; i < 200_000; i++) expect(buckets.take(`client ${i}`)).toBe(0);
  });

  test('counts IPv6 clients by their network', () => {
    expect(networkOf('2001:db8:1:2:3::4')).toBe(networkOf('2001:db8:1:2:ffff::1'));
    expect(networkOf('2001:db8:1:2::1')).not.toBe(networkOf('2001:db8:1:3::1'));
  });
});

test('networks are allowed and denied, behind trusted proxies only', async () => {
  const rules =
    '[[sites]]\nrespond = "ok"\n[sites.security]\nip_whitelist = ["192.168.1.0/24", "2001:db8::/32"]\nip_blacklist = ["192.168.1.9"]';
  const { get } = await startWeb(TRUSTING + rules);
  expect((await get('/', from('192.168.1.7'))).status).toBe(200);
  expect((await get('/', from('2001:db8::1'))).status).toBe(200);
  expect((await get('/', from('192.168.1.9'))).status).toBe(403);
  expect((await get('/', from('192.168.2.1'))).status).toBe(403);
  const strict = await startWeb(rules);
  expect((await strict.get('/', from('192.168.1.7'))).status).toBe(403);
});

describe('basic authentication', () => {
  const salt = Buffer.from('salt of the test');
  const scrypt = `$scrypt$ln=10,r=8,p=1$${salt.toString('base64')}$${scryptSync('sesame', salt, 32, { N: 1024 }).toString('base64')}`;
  const basic = (text: string) => ({ headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` } });

  test('takes passwords by scrypt and bcrypt, and nothing else', async () => {
    const { get } = await startWeb(`
[[sites]]
respond = "secret"
[sites.security.basic_auth]
realm = "a \\"quoted\\" realm"
users = { ada = "${scrypt}", bob = "${bcrypt.hashSync('pä:ss', 4)}" }
`);
    const asked = await get('/');
    expect([asked.status, asked.headers['www-authenticate']]).toEqual([
      401,
      'Basic realm="a \\"quoted\\" realm", charset="UTF-8"',
    ]);
    for (const good of ['ada:sesame', 'ada:sesame', 'bob:pä:ss'])
      expect((await get('/', basic(good))).text).toBe('secret');
    for (const bad of ['ada:x', 'bob:sesame', 'eve:sesame', 'ada', ''])
      expect((await get('/', basic(bad))).status).toBe(401);
  });
});

describe('CORS', () => {
  const TOML = `
[security]
enable_cors = true
cors_origins = ["https://a.example", "https://b.example"]
cors_credentials = true
[[sites]]
files = "."
`;

  test('answers preflights, for allowed origins only', async () => {
    const { get } = await startWeb(TOML, { 'a.txt': 'a' });
    const preflight = (Origin: string) =>
      get('/a.txt', {
        method: 'OPTIONS',
        headers: { Origin, 'Access-Control-Request-Method': 'PUT', 'Access-Control-Request-Headers': 'x-own' },
      });
    const good = await preflight('https://b.example');
    expect(good.status).toBe(204);
    expect(good.headers).toMatchObject({
      'access-control-allow-origin': 'https://b.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': 'x-own',
      'access-control-max-age': '600',
    });
    expect(good.headers['access-control-allow-methods']).toContain('PUT');
    const bad = await preflight('https://evil.example');
    expect(bad.headers).not.toHaveProperty('access-control-allow-origin');
    expect(bad.headers).not.toHaveProperty('access-control-allow-methods');
  });

  test('names the origin that asked, and says that answers differ by it', async () => {
    const { get } = await startWeb(TOML, { 'a.txt': 'a' });
    for (const origin of ['https://a.example', 'https://b.example', 'https://a.example']) {
      const { headers } = await get('/a.txt', { headers: { Origin: origin } });
      expect(headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    }
    const none = await get('/a.txt');
    expect(none.headers['vary']).toBe('Origin');
    expect(none.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

test('requests that other sites make in a name of a user are refused, and those of the site itself are not', async () => {
  const { get } = await startWeb(
    '[security]\nenable_csrf = true\ncsrf_origins = ["https://partner.example"]\n[[sites]]\nrespond = "done"',
  );
  const post = async (headers: Record<string, string>) =>
    (await get('/', { method: 'POST', host: 'a.example', headers })).status;
  expect(await post({ 'Sec-Fetch-Site': 'same-origin' })).toBe(200);
  expect(await post({ 'Sec-Fetch-Site': 'none' })).toBe(200);
  expect(await post({ 'Sec-Fetch-Site': 'same-site' })).toBe(403);
  expect(await post({ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' })).toBe(403);
  expect(await post({ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://partner.example' })).toBe(200);
  expect(await post({ Origin: 'http://a.example' })).toBe(200);
  expect(await post({ Origin: 'https://a.example' })).toBe(403);
  expect(await post({ Origin: 'null' })).toBe(403);
  expect(await post({})).toBe(200);
  expect((await get('/', { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(200);
});
