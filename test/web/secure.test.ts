import { createServer } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startWeb } from './start-web.ts';

const TOML = `
[server]
http_port = 0
https_port = 0
redirect_https = true
[ssl]
domains = ["a.example"]
[[sites]]
hosts = ["a.example"]
respond = "secure"
`;

function askSecurely(port: number, servername: string): Promise<{ text: string; names: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, servername, headers: { Host: 'a.example' }, rejectUnauthorized: false, agent: false },
      (response) => {
        const { subjectaltname = '' } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate();
        let text = '';
        response.on('data', (piece) => {
          text += piece;
        });
        response.on('end', () => resolve({ text, names: subjectaltname }));
      },
    );
    sent.on('error', reject).end();
  });
}

test('a listener with TLS serves by HTTP/1.1 and HTTP/2, with a certificate of our own until there is another', async () => {
  const { ports } = await startWeb(TOML);
  const secure = ports[1] as number;
  const { text, names } = await askSecurely(secure, 'a.example');
  expect(text).toBe('secure');
  expect(names).toContain('DNS:a.example');

  const session = connectHttp2(`https://127.0.0.1:${secure}`, { rejectUnauthorized: false, servername: 'a.example' });
  onTestFinished(() => session.destroy());
  const answer = await new Promise<string>((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({ ':path': '/', ':authority': 'a.example' });
    let got = '';
    stream.setEncoding('utf8').on('data', (piece) => {
      got += piece;
    });
    stream.on('end', () => resolve(got)).on('error', reject);
  });
  expect(answer).toBe('secure');
});

test('the plain listener leads to the one with TLS, and a reload keeps both', async () => {
  const { get, ports, take } = await startWeb(TOML);
  const plain = await get('/x?y', { host: 'a.example' });
  expect(plain.status).toBe(301);
  const secure = `https://a.example:${ports[1]}/x?y`;
  expect(plain.headers['location']).toBe(secure);
  await take(TOML.replace('"secure"', '"again"'));
  expect((await get('/x?y', { host: 'a.example' })).headers['location']).toBe(secure);
  expect((await askSecurely(ports[1] as number, 'a.example')).text).toBe('again');
});

test('an upstream is told that its client came over TLS', async () => {
  const origin = createServer((asked, response) => response.end(asked.headers['x-forwarded-proto']));
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void origin.close().closeAllConnections());
  const { port } = origin.address() as AddressInfo;
  const proxied = TOML.replace('redirect_https = true', '').replace('respond = "secure"', 'proxy = "up"');
  const { get, ports } = await startWeb(`${proxied}\n[backends.up]\nurl = "http://127.0.0.1:${port}"\n`);
  expect((await askSecurely(ports[1] as number, 'a.example')).text).toBe('https');
  expect((await get('/', { host: 'a.example' })).text).toBe('http');
});
