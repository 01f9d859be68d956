import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { ANSWER_ROWS } from '../../src/cli/own-answer.ts';
import { parseArguments } from '../../src/cli/parse-arguments.ts';
import { respond, withPort } from '../../src/cli/respond.ts';
import { OPTION_ROWS, type OptionName, resolveSettings, type Settings } from '../../src/cli/settings.ts';

function settingsOf(args: string[], environment: Record<string, string> = {}): Settings {
  const [row] = COMMANDS;
  if (row === undefined) throw new Error('there is no command');
  const request = parseArguments(row, respond, args, 'vrypt-server');
  if (request.kind !== 'command') throw new Error(`asks for ${request.kind}`);
  return resolveSettings(withPort(request.line.options, request.line.positional), environment);
}

const DEFAULTS: Settings = {
  host: undefined,
  port: 8080,
  unixPath: undefined,
  workers: 'auto',
  isolation: 'thread',
  app: { kind: 'respond', status: 200, fields: [['Content-Type', 'text/plain']], content: Buffer.from('Vrypt') },
  limits: {
    idleTimeoutMs: 75_000,
    headerTimeoutMs: 10_000,
    bodyTimeoutMs: 30_000,
    requestTimeoutMs: 300_000,
    sendTimeoutMs: 30_000,
    maxRequestLine: 8192,
    maxHeaderSize: 16_384,
    maxHeaderCount: 100,
    maxBodySize: 1024 ** 3,
    maxDropped: Number.POSITIVE_INFINITY,
    handlerTimeoutMs: Number.POSITIVE_INFINITY,
    maxRequests: 1_000_000,
    maxConnections: 65_536,
  },
  labels: { host: '--host', statsd: '--statsd', maxConnections: null, share: '--share' },
  drainDelayMs: 0,
  drainTimeoutMs: 10_000,
  statsd: undefined,
  sharesPort: false,
  isQuiet: false,
  transport: 'handle',
};

const DURATION = 'a duration from 1ms to 24h with a unit (ms, s, m or h), such as 2500ms or 30s';
const UNITS = 'in bytes or with a unit (B, KB, MB, GB, KiB, MiB or GiB), such as 8KiB';
const SECTION_SIZE = `a size from 64B to 1MiB ${UNITS}`;
const BAD_DURATIONS = ['', '30', 's', '0s', '1.5s', '30 s', '-1s', '25h', '86400001ms', '1d', '1S', '1s1s', '1e3s'];
const BAD_SIZES = [
  '',
  'KiB',
  '1.5KiB',
  '8Kb',
  '8kib',
  '8K',
  '8KIB',
  'KB',
  '-1',
  '8 KiB',
  '99999999999999999999',
  '0x10',
];

/** For each option: good values and what they become, the rule, and bad values. */
const OPTIONS: Record<
  Exclude<OptionName, 'share' | 'quiet' | 'echo' | 'text' | 'body-file' | 'status' | 'header'>,
  { good: Record<string, unknown>; bad: readonly string[]; rule: string; read: (settings: Settings) => unknown }
> = {
  port: {
    good: { '0': 0, '1': 1, '65535': 65_535, '03000': 3000 },
    bad: ['', '65536', '-1', '80a', '1.5', '0x50', '1e3', ' 80', '+80', '99999999999999999999'],
    rule: 'a whole number from 0 to 65535',
    read: ({ port }) => port,
  },
  host: {
    good: {
      '127.0.0.1': '127.0.0.1',
      '::': '::',
      '[::1]': '::1',
      localhost: 'localhost',
      'fe80::1%eth0': 'fe80::1%eth0',
    },
    bad: [
      '',
      '[]',
      '999.1.1.1',
      '256.0.0.1',
      '1.2.3',
      '1',
      '0x7f.1',
      '01.2.3.4',
      '1:2',
      ':::',
      '::g',
      '[a]',
      'a..b',
      'a b',
      'http://a',
      'a/b',
      'a\n',
      '[::1',
      'ä',
    ],
    rule: 'an IPv4 address, an IPv6 address or a host name',
    read: ({ host }) => host,
  },
  unix: {
    good: { '/run/vrypt.sock': '/run/vrypt.sock', x: 'x', ['a'.repeat(107)]: 'a'.repeat(107) },
    bad: ['', 'a'.repeat(108), 'ü'.repeat(54)],
    rule: 'the path of a socket, of 1 to 107 bytes',
    read: ({ unixPath }) => unixPath,
  },
  workers: {
    good: { auto: 'auto', '1': 1, '1024': 1024 },
    bad: ['0', '1025', '', '-1', '2.5', 'Auto', 'many'],
    rule: 'a whole number from 1 to 1024 or auto',
    read: ({ workers }) => workers,
  },
  isolation: {
    good: { thread: 'thread', process: 'process' },
    bad: ['', 'Thread', 'fork'],
    rule: 'thread or process',
    read: ({ isolation }) => isolation,
  },
  worker: {
    good: { '1': [1, 'process'], '64': [64, 'process'] },
    bad: ['0', '1025', 'auto', ''],
    rule: 'a whole number from 1 to 1024',
    read: ({ workers, isolation }) => [workers, isolation],
  },
  'timeout-ms': {
    good: { '1': 1, '2500': 2500 },
    bad: ['0', '86400001', '1s', ''],
    rule: 'a whole number from 1 to 86400000',
    read: ({ limits }) => limits.headerTimeoutMs,
  },
  'idle-timeout': {
    good: { '2500ms': 2500, '30s': 30_000, '5m': 300_000, '24h': 86_400_000, '1ms': 1 },
    bad: BAD_DURATIONS,
    rule: DURATION,
    read: ({ limits }) => limits.idleTimeoutMs,
  },
  'header-timeout': {
    good: { '1s': 1000 },
    bad: BAD_DURATIONS,
    rule: DURATION,
    read: ({ limits }) => limits.headerTimeoutMs,
  },
  'body-timeout': {
    good: { '1s': 1000 },
    bad: BAD_DURATIONS,
    rule: DURATION,
    read: ({ limits }) => limits.bodyTimeoutMs,
  },
  'request-timeout': {
    good: { '1s': 1000 },
    bad: BAD_DURATIONS,
    rule: DURATION,
    read: ({ limits }) => limits.requestTimeoutMs,
  },
  'send-timeout': {
    good: { '1s': 1000 },
    bad: BAD_DURATIONS,
    rule: DURATION,
    read: ({ limits }) => limits.sendTimeoutMs,
  },
  'drain-delay': {
    good: { '0s': 0, '0ms': 0, '5s': 5000, '24h': 86_400_000 },
    bad: BAD_DURATIONS.filter((text) => text !== '0s'),
    rule: 'a duration from 0s to 24h with a unit (ms, s, m or h), such as 2500ms or 30s',
    read: ({ drainDelayMs }) => drainDelayMs,
  },
  'drain-timeout': {
    good: { '1s': 1000 },
    bad: BAD_DURATIONS,
    rule: DURATION,
    read: ({ drainTimeoutMs }) => drainTimeoutMs,
  },
  'max-request-line': {
    good: { '64': 64, '64B': 64, '8KiB': 8192, '8KB': 8000, '1MB': 1_000_000, '1MiB': 1024 ** 2, '0064': 64 },
    bad: [...BAD_SIZES, '63', '2MiB', '1GiB'],
    rule: SECTION_SIZE,
    read: ({ limits }) => limits.maxRequestLine,
  },
  'max-header-size': {
    good: { '64': 64, '16KiB': 16_384 },
    bad: [...BAD_SIZES, '63', '2MiB'],
    rule: SECTION_SIZE,
    read: ({ limits }) => limits.maxHeaderSize,
  },
  'max-header-count': {
    good: { '1': 1, '10000': 10_000 },
    bad: ['0', '10001', '', 'all'],
    rule: 'a whole number from 1 to 10000',
    read: ({ limits }) => limits.maxHeaderCount,
  },
  'max-body-size': {
    good: { '0': 0, '0B': 0, '0GB': 0, '1000': 1000, '3GB': 3_000_000_000, '1GiB': 1024 ** 3, '1048576GiB': 1024 ** 5 },
    bad: [...BAD_SIZES, '1048577GiB'],
    rule: `a size from 0B to 1048576GiB ${UNITS}`,
    read: ({ limits }) => limits.maxBodySize,
  },
  'max-requests': {
    good: { '0': Number.POSITIVE_INFINITY, '1': 1, '2147483648': 2 ** 31 },
    bad: ['-1', '2147483649', '', '1k'],
    rule: 'a whole number from 0 to 2147483648',
    read: ({ limits }) => limits.maxRequests,
  },
  'max-connections': {
    good: { '1': 1, '16777216': 2 ** 24 },
    bad: ['0', '16777217', '', '1k'],
    rule: 'a whole number from 1 to 16777216',
    read: ({ limits }) => limits.maxConnections,
  },
  statsd: {
    good: {
      '127.0.0.1:8125': { host: '127.0.0.1', port: 8125 },
      '[::1]:8125': { host: '::1', port: 8125 },
      'metrics.example:1': { host: 'metrics.example', port: 1 },
    },
    bad: ['', 'a', 'a:', ':1', 'a:0', 'a:65536', '::1:8125', 'a b:1', 'http://a:1'],
    rule: 'host:port with a port from 1 to 65535, such as 127.0.0.1:8125 or [::1]:8125',
    read: ({ statsd }) => statsd,
  },
};

const NAMES = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];

test('every option with a value is tried here or in own-answer.test.ts', () => {
  const answer = new Set<string>(ANSWER_ROWS.map(({ name }) => name));
  const valued = OPTION_ROWS.filter((row) => 'rule' in row && !answer.has(row.name)).map(({ name }) => name);
  expect(NAMES.toSorted()).toEqual(valued.toSorted());
});

test('without options the defaults of the rows apply', () => {
  expect(settingsOf([])).toEqual(DEFAULTS);
  const typed = OPTION_ROWS.flatMap((row) => ('default' in row ? [`--${row.name}`, row.default] : []));
  expect(settingsOf(typed)).toEqual({
    ...DEFAULTS,
    labels: { ...DEFAULTS.labels, maxConnections: '--max-connections' },
  });
});

describe.each(NAMES)('--%s', (name) => {
  const { good, bad, rule, read } = OPTIONS[name];

  test.each(Object.entries(good))('takes %j', (text, value) => {
    expect(read(settingsOf([`--${name}=${text}`]))).toEqual(value);
    expect(read(settingsOf([`--${name}`, text]))).toEqual(value);
  });

  test.each(bad)('refuses %j, naming the option, the rule and the text', (text) => {
    const message = `--${name} must be ${rule}, got ${JSON.stringify(text)}`;
    expect(() => settingsOf([`--${name}=${text}`])).toThrow(expect.objectContaining({ name: 'UsageError', message }));
  });
});

test('short names mean the long ones', () => {
  const settings = settingsOf(['-p', '1', '-H', '::', '-w', '3', '-q']);
  expect(settings).toMatchObject({ port: 1, host: '::', workers: 3, isQuiet: true });
});

test('switches switch', () => {
  expect(settingsOf(['--share', '--quiet'])).toMatchObject({ sharesPort: true, isQuiet: true });
});

describe('the port', () => {
  test('may be given without a name or by PORT; flags win', () => {
    expect(settingsOf(['3000']).port).toBe(3000);
    expect(settingsOf([], { PORT: '3001' }).port).toBe(3001);
    expect(settingsOf(['3000'], { PORT: '3001' }).port).toBe(3000);
    expect(settingsOf(['-p', '3002'], { PORT: '3001' }).port).toBe(3002);
    expect(settingsOf([], { PORT: '' }).port).toBe(8080);
    expect(settingsOf(['3000', '-p', '3000']).port).toBe(3000);
    expect(settingsOf(['3000', '-p', '03000']).port).toBe(3000);
  });

  test.each([
    [
      ['x'],
      {},
      `port must be a whole number from 0 to 65535, got "x"; the commands are ${COMMANDS.map((row) => row.name).join(', ')}`,
    ],
    [['helthcheck'], {}, 'port must be a whole number from 0 to 65535, got "helthcheck"; did you mean healthcheck?'],
    [['65536'], {}, 'port must be a whole number from 0 to 65535, got "65536"'],
    [[], { PORT: 'http' }, 'PORT must be a whole number from 0 to 65535, got "http"'],
    [['3000', '-p', '3001'], {}, '--port and the port given without a name must not differ, got 3001 and 3000'],
    [['3000', '3000'], {}, 'port must be given only once, got "3000" and "3000", see vrypt-server --help'],
    [['--text', 'x'], { VRYPT_STATUS: '204' }, 'VRYPT_STATUS 204 must have no content (RFC 9110 §15), got --text'],
    [['--prot', '1'], {}, 'unknown option --prot (did you mean --port?), see vrypt-server --help'],
    [['--port'], {}, '--port must be followed by a value, see vrypt-server --help'],
    [['--quiet=yes'], {}, '--quiet is a switch and must have no value, got "yes", see vrypt-server --help'],
  ])('%j with %j is refused', (args, environment, message) => {
    expect(() => settingsOf(args, environment as Record<string, string>)).toThrow(
      expect.objectContaining({ name: 'UsageError', message }),
    );
  });
});

test('an internal variable chooses the transport that uses public interfaces', () => {
  expect(settingsOf([], { __VRYPT_TRANSPORT: 'net' }).transport).toBe('net');
  expect(settingsOf([], { VRYPT_TRANSPORT: 'net' }).transport).toBe('handle');
});
