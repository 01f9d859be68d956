/** The program without a process around it: what it prints, and its exit code. */
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import type { BuildStamp, Environment } from '../../src/cli/process-io.ts';
import { run } from '../../src/cli/run.ts';
import { OPTION_ROWS } from '../../src/cli/settings.ts';

const BUILD: BuildStamp = { version: '1.2.3', commit: 'abc', targets: {} };

interface Setup {
  readonly environment?: Environment;
  readonly build?: BuildStamp;
  /** The result of printing. */
  readonly error?: string;
}

async function runWith(args: readonly string[], { environment = {}, build = BUILD, error }: Setup = {}) {
  let [stdout, stderr] = ['', ''];
  const print = (text: string) => {
    stdout += text;
    return error ?? null;
  };
  const printError = (text: string) => {
    stderr += text;
  };
  const code = await run({ args, environment, build, print, printError });
  return { code, stdout, stderr };
}

const SEE = ', see vrypt-server --help';

describe('a usage error', () => {
  test.each<[readonly string[], string]>([
    [['--port', '80a'], '--port must be a whole number from 0 to 65535, got "80a"'],
    [['-p', ''], '--port must be a whole number from 0 to 65535, got ""'],
    [['--prot', '1'], `unknown option --prot (did you mean --port?)${SEE}`],
    [['--prot=1'], `unknown option --prot=1 (did you mean --port?)${SEE}`],
    [['--shrae'], `unknown option --shrae (did you mean --share?)${SEE}`],
    [['--helpp'], `unknown option --helpp (did you mean --help?)${SEE}`],
    [['--inspect'], `unknown option --inspect${SEE}`],
    [['-x'], `unknown option -x${SEE}`],
    [['--port'], `--port must be followed by a value${SEE}`],
    [['3000', '-w'], `--workers must be followed by a value${SEE}`],
    [['--quiet=yes'], `--quiet is a switch and must have no value, got "yes"${SEE}`],
    [['--json'], `--json must be given together with --version${SEE}`],
    [['respond', '--prot', '1'], 'unknown option --prot (did you mean --port?), see vrypt-server respond --help'],
    [['--help=1'], `--help is a switch and must have no value, got "1"${SEE}`],
    [['--quiet=maybe'], `--quiet is a switch and must have no value, got "maybe"${SEE}`],
    [['--version=1'], `--version is a switch and must have no value, got "1"${SEE}`],
    [
      ['healthcheck', '--tiemout', '1s'],
      'unknown option --tiemout (did you mean --timeout?), see vrypt-server healthcheck --help',
    ],
    [['healthcheck', '--workers', '1'], 'unknown option --workers, see vrypt-server healthcheck --help'],
    [['healtcheck'], 'port must be a whole number from 0 to 65535, got "healtcheck"; did you mean healthcheck?'],
    [['weeb', '--config', 'x'], 'the first argument must be a port or a command, got "weeb"; did you mean web?'],
    [['help', 'web'], 'the first argument must be a port or a command, got "help"; did you mean --help?'],
    [['help'], 'port must be a whole number from 0 to 65535, got "help"; did you mean --help?'],
    [['Version'], 'port must be a whole number from 0 to 65535, got "Version"; did you mean --version?'],
    [['my.toml'], 'port must be a whole number from 0 to 65535, got "my.toml"; did you mean web my.toml?'],
    [['./app.mts'], 'port must be a whole number from 0 to 65535, got "./app.mts"; did you mean run ./app.mts?'],
    [['./public'], 'port must be a whole number from 0 to 65535, got "./public"; did you mean files ./public?'],
    [
      ['localhost:3000', '8080'],
      'the first argument must be a port or a command, got "localhost:3000"; did you mean proxy localhost:3000?',
    ],
    [['-v'], `unknown option -v (did you mean -V?)${SEE}`],
    [['-c', 'a.toml'], `unknown option -c (did you mean vrypt-server web -c?)${SEE}`],
    [['--config=a.toml'], `unknown option --config=a.toml (did you mean vrypt-server web --config?)${SEE}`],
    [['web', '-v'], 'unknown option -v (did you mean -V?), see vrypt-server web --help'],
    [['3000', '3001'], `port must be given only once, got "3000" and "3001"${SEE}`],
    [['-H', '999.1.1.1'], '--host must be an IPv4 address, an IPv6 address or a host name, got "999.1.1.1"'],
    [['-w', '0'], '--workers must be a whole number from 1 to 1024 or auto, got "0"'],
    [['-w', '-1'], '--workers must be a whole number from 1 to 1024 or auto, got "-1"'],
    [['-w-1'], '--workers must be a whole number from 1 to 1024 or auto, got "-1"'],
    [['--workers=-1'], '--workers must be a whole number from 1 to 1024 or auto, got "-1"'],
  ])('%j ends with 2 and one line', async (args, message) => {
    expect(await runWith(args)).toEqual({ code: 2, stdout: '', stderr: `vrypt-server: ${message}\n` });
  });

  test('a wrong variable is named', async () => {
    const environment = { VRYPT_MAX_BODY_SIZE: '1TB' };
    const { code, stderr } = await runWith([], { environment });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^vrypt-server: VRYPT_MAX_BODY_SIZE must be a size from .* \(B, KB, MB, GB, KiB, MiB or GiB\).*, got "1TB"\n$/,
    );
  });
});

describe('help', () => {
  test.each(['--help', '-h'])('%s names every option, its default and every command', async (flag) => {
    const { code, stdout, stderr } = await runWith([flag]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: vrypt-server \[port\] \[options\]\n/);
    const text = stdout.replace(/\s+/g, ' ');
    for (const row of OPTION_ROWS) {
      expect(text).toContain(` --${row.name} `);
      expect(text).toContain('default' in row ? `${row.help} (default: ${row.default})` : row.help);
    }
    for (const { name, summary } of COMMANDS) expect(stdout).toMatch(new RegExp(`\n  ${name} .*${summary}\n`));
    expect(stdout).not.toContain('TRANSPORT');
  });

  test('is shown whatever else is typed or set', async () => {
    expect((await runWith(['-p', 'x', '--help'], { environment: { PORT: 'x' } })).code).toBe(0);
  });

  test('of a command names its own options', async () => {
    const { code, stdout } = await runWith(['healthcheck', '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: vrypt-server healthcheck \[url\] \[options\]\n/);
    expect(stdout).toContain('--timeout <duration>');
    expect(stdout).not.toContain('--workers');
  });

  test('of the default command differs only in its usage when it is named', async () => {
    const { stdout: named } = await runWith(['respond', '--help']);
    const { stdout } = await runWith(['--help']);
    expect(named).toBe(stdout.replace('Usage: vrypt-server [port]', 'Usage: vrypt-server respond [port]'));
  });
});

describe('the version', () => {
  test.each([[['--version']], [['-V']], [['healthcheck', '--version']], [['3000', '--version']]])(
    '%j',
    async (args) => {
      expect(await runWith(args)).toEqual({ code: 0, stdout: '1.2.3 (abc)\n', stderr: '' });
    },
  );

  test.each([[['--version', '--json']], [['--json', '-V']]])('%j is one JSON object', async (args) => {
    const { code, stdout } = await runWith(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const { versions } = process;
    const fixed = { name: 'vrypt-server', version: '1.2.3', commit: 'abc' };
    expect(JSON.parse(stdout)).toEqual({ ...fixed, target: null, runtime: null, versions: { ...versions } });
  });

  test('names the target and the runtime of the executable', async () => {
    const { arch } = process;
    const targets = {
      [`${arch}-glibc`]: { triple: 'one', runtime: '1' },
      [`${arch}-musl`]: { triple: 'one', runtime: '1' },
      'other-glibc': { triple: 'other', runtime: '2' },
    };
    const { stdout } = await runWith(['--version', '--json'], { build: { ...BUILD, targets } });
    expect(JSON.parse(stdout)).toMatchObject({ target: 'one', runtime: '1' });
  });
});

describe('output that cannot be written', () => {
  test.each([[['--help']], [['--version']], [['--version', '--json']]])(
    '%j ends with 1 when the disk is full',
    async (args) => {
      expect(await runWith(args, { error: 'ENOSPC' })).toMatchObject({
        code: 1,
        stderr: 'vrypt-server: cannot write to standard output (ENOSPC)\n',
      });
    },
  );

  test('a reader that stops reading is not a failure', async () => {
    expect(await runWith(['--help'], { error: 'EPIPE' })).toMatchObject({ code: 0, stderr: '' });
  });
});
