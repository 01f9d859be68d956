import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lookUp } from '../../src/engine/look-up.ts';
import { NameServer, type Zone } from '../cli/name-server.ts';

interface Setup {
  readonly zone?: Zone | null;
  readonly hosts?: string;
  readonly resolvConf?: string;
}

async function setUp({ zone = {}, hosts = '', resolvConf = '' }: Setup) {
  const server = await NameServer.start(zone);
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-names-'));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const files = { hosts: path.join(folder, 'hosts'), resolvConf: path.join(folder, 'resolv.conf') };
  writeFileSync(files.hosts, hosts);
  writeFileSync(files.resolvConf, `# comment\nnameserver ${server.address}\n${resolvConf}`);
  return { server, find: (name: string, signal?: AbortSignal) => lookUp(name, signal, files) };
}

describe('looking up a name', () => {
  test('takes an address as it is', async () => {
    const { find, server } = await setUp({});
    expect(await find('192.0.2.1')).toEqual({ addresses: ['192.0.2.1'], ttlMs: undefined });
    expect(await find('::1')).toEqual({ addresses: ['::1'], ttlMs: undefined });
    expect(server.questions).toEqual([]);
  });

  test('reads the hosts file first, IPv4 before IPv6, whatever the case', async () => {
    const hosts = '# names\n::5 Metrics.example  metrics # alias\n192.0.2.5\tmetrics\nnonsense metrics\n';
    const { find, server } = await setUp({ hosts });
    expect((await find('METRICS')).addresses).toEqual(['192.0.2.5', '::5']);
    expect((await find('metrics.example.')).addresses).toEqual(['::5']);
    expect(server.questions).toEqual([]);
  });

  test('resolves localhost without any file', async () => {
    const files = { hosts: '/no/such/file', resolvConf: '/no/such/file' };
    expect((await lookUp('localhost', undefined, files)).addresses).toEqual(['127.0.0.1', '::1']);
    expect((await lookUp('a.LOCALHOST.', undefined, files)).addresses).toEqual(['127.0.0.1', '::1']);
  });

  test('asks for both families and returns the shortest time to live', async () => {
    const { find } = await setUp({
      zone: { 'both.example': { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8::1'], ttl: 7 } },
    });
    expect(await find('both.example')).toEqual({ addresses: ['192.0.2.1', '192.0.2.2', '2001:db8::1'], ttlMs: 7000 });
  });

  test.each([
    ['A', '192.0.2.1'],
    ['AAAA', '::1'],
  ])('is content with an %s record alone', async (type, address) => {
    const { find } = await setUp({ zone: { 'one.example': { [type]: [address], ttl: 60 } } });
    expect(await find('one.example')).toEqual({ addresses: [address], ttlMs: 60_000 });
  });

  test('tries the search domains as resolv.conf says', async () => {
    const zone = { 'statsd.monitoring.svc.cluster.local': { A: ['10.0.0.9'], ttl: 5 } };
    const resolvConf = 'search default.svc.cluster.local svc.cluster.local.\noptions ndots:5 timeout:1\n';
    const { find, server } = await setUp({ zone, resolvConf });
    expect((await find('statsd.monitoring')).addresses).toEqual(['10.0.0.9']);
    expect(server.questions.filter((question) => question.startsWith('A '))).toEqual([
      'A statsd.monitoring.default.svc.cluster.local',
      'A statsd.monitoring.svc.cluster.local',
    ]);
  });

  test('tries a name with enough dots as it is first, and one that ends in a dot only as it is', async () => {
    const { find, server } = await setUp({ zone: { 'a.b': { A: ['10.0.0.1'], ttl: 1 } }, resolvConf: 'search x\n' });
    expect((await find('a.b')).addresses).toEqual(['10.0.0.1']);
    await expect(find('a.')).rejects.toThrow();
    expect(server.questions.filter((question) => question.startsWith('A '))).toEqual(['A a.b', 'A a']);
  });

  test('says that a name was not found', async () => {
    const { find } = await setUp({ zone: { 'empty.example': { ttl: 1 } } });
    await expect(find('nobody.example')).rejects.toMatchObject({
      code: 'ENOTFOUND',
      name: 'LookupError',
      message: 'nobody.example was not found (ENOTFOUND)',
    });
    await expect(find('empty.example')).rejects.toMatchObject({ code: 'ENODATA' });
  });

  test('gives up when told to, even if the name server is silent', async () => {
    const { find, server } = await setUp({ zone: null });
    const ending = new AbortController();
    const finding = find('silent.example', ending.signal);
    finding.catch(() => {});
    await expect.poll(() => server.questions.length).toBeGreaterThan(0);
    ending.abort();
    await expect(finding).rejects.toMatchObject({ code: 'ECANCELLED' });
  });
});
