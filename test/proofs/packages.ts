/** deb and rpm under a real systemd: installed, started, activated by a socket, upgraded while they serve, removed. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { deb } from '../../scripts/formats/deb.ts';
import { rpm } from '../../scripts/formats/rpm.ts';
import { packageFiles } from '../../scripts/packaging/contents.ts';
import { debControl } from '../../scripts/packaging/debian.ts';
import { rpmFacts } from '../../scripts/packaging/red-hat.ts';
import { program } from '../../scripts/program/program.ts';
import { archiveFolder } from '../../scripts/targets/artifacts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { Machine } from './machine.ts';
import { type Check, mustBe, mustMatch, type Proof } from './proof.ts';
import { readManifest, released } from './released.ts';
import { debianRoot, debianSuites, foreignDebianRoot } from './roots.ts';

const { name } = program;
const triple = 'x86_64-unknown-linux-gnu';
const newer = '999.0.0';
const service = `${name}.service`;
const socket = `${name}.socket`;

export const packages: Proof = {
  title:
    'deb and rpm on Debian 11 and 12 with systemd running: installed, started, upgraded, removed; deb on foreign CPUs',
  needs: { debootstrap: 'debootstrap', nsenter: 'util-linux' },
  asRoot: true,
  async run(check) {
    const upgrades = await makeUpgrades();
    for (const [suite, title] of Object.entries(debianSuites)) {
      const root = await debianRoot(suite as keyof typeof debianSuites);
      await tryPackage(check, root, {
        title: `deb, ${title}`,
        file: released('deb', triple),
        upgrade: upgrades.deb,
        install: ['dpkg', '--install'],
        remove: ['dpkg', '--purge', name],
        settings: `/etc/default/${name}`,
        left: [],
      });
      await tryPackage(check, root, {
        title: `rpm, ${title}`,
        file: released('rpm', triple),
        upgrade: upgrades.rpm,
        // Its database does not know Debian's C library.
        install: ['rpm', '--upgrade', '--nodeps'],
        remove: ['rpm', '--erase', '--nodeps', name],
        settings: `/etc/sysconfig/${name}`,
        // rpm keeps settings that were changed.
        left: [`/etc/sysconfig/${name}.rpmsave`],
      });
    }
    for (const cpu of ['i386', 'arm64', 'armhf'] as const) await tryForeign(check, cpu);
  },
};

/** Without systemd, which no emulator of programs can boot: its scripts must do nothing then. */
async function tryForeign(check: Check, cpu: 'i386' | 'arm64' | 'armhf'): Promise<void> {
  const target = readTargets().targets.find(
    ({ architecture, libc }) => architecture.debian === cpu && libc === 'glibc',
  );
  if (target === undefined || !readManifest().targets.some((made) => made.target === target.triple)) return;
  const { root, rule } = await foreignDebianRoot(cpu);
  const title = `deb, Debian 11 on ${cpu}${rule === undefined ? '' : ', emulated'}`;
  const machine = await Machine.start(root, { init: 'sleep', rule });
  try {
    machine.put('/root/first', readFileSync(released('deb', target.triple)));
    await check(`${title}: installs and starts`, async () => {
      // Its dpkg knows of no package yet, not even of the C library that lies there.
      await machine.good(['dpkg', '--install', '--force-depends', '/root/first']);
      mustMatch(
        'its version',
        await machine.good([name, '--version']),
        new RegExp(`^${program.version.replaceAll('.', '\\.')} `),
      );
      mustMatch('its state', await machine.good(['dpkg', '--status', name]), /^Status: install ok installed$/m);
      await machine.good(['sh', '-c', `${name} --unix /tmp/socket >/tmp/log 2>&1 & echo $! >/tmp/pid`]);
      await machine.until([name, 'healthcheck', '--unix', '/tmp/socket'], 'it must be healthy');
      await machine.good(['sh', '-c', 'kill "$(cat /tmp/pid)"']);
    });
    await check(`${title}: is another architecture's`, async () => {
      machine.put('/root/other', readFileSync(released('deb', triple)));
      const { code, stderr } = await machine.run(['dpkg', '--install', '--force-depends', '/root/other']);
      mustBe('the exit code', code, 1);
      mustMatch('what it says', stderr, /package architecture \(amd64\) does not match system/);
    });
    await check(`${title}: is removed without a trace`, async () => {
      await machine.good(['dpkg', '--purge', name]);
      const { stdout } = await machine.run(['find', '/usr', '/etc', '/lib', '-name', `*${name}*`]);
      mustBe('what is left', stdout.trim(), '');
    });
  } finally {
    await machine.end();
  }
}

interface Tried {
  readonly title: string;
  readonly file: string;
  readonly upgrade: Uint8Array;
  readonly install: readonly string[];
  readonly remove: readonly string[];
  readonly settings: string;
  /** What may stay when it is gone. */
  readonly left: readonly string[];
}

async function tryPackage(check: Check, root: string, tried: Tried): Promise<void> {
  const { title, file, upgrade, install, remove, settings, left } = tried;
  const machine = await Machine.start(root, { init: 'systemd' });
  const good = (...command: string[]): Promise<string> => machine.good(command);
  const fetch = (url = 'http://127.0.0.1:8080/') =>
    good(
      'curl',
      '--silent',
      '--show-error',
      '--max-time',
      '5',
      '--retry',
      '30',
      '--retry-delay',
      '1',
      '--retry-connrefused',
      url,
    );
  const show = async (property: string): Promise<string> =>
    (await good('systemctl', 'show', '--value', '--property', property, service)).trim();
  try {
    machine.put('/root/first', readFileSync(file));
    machine.put('/root/second', upgrade);
    await check(`${title}: installs`, async () => {
      await machine.good([...install, '/root/first']);
      mustMatch(
        'its version',
        await good(name, '--version'),
        new RegExp(`^${program.version.replaceAll('.', '\\.')} `),
      );
    });
    await check(`${title}: its units have no fault`, async () => {
      // 252 complains of Debian's own, too: only lines about ours count.
      const { stderr } = await machine.run(['systemd-analyze', 'verify', '--man=no', service, socket]);
      mustBe(
        'the complaints',
        stderr
          .split('\n')
          .filter((line) => line.includes(name))
          .join('\n'),
        '',
      );
    });
    await check(`${title}: does not listen before it is asked for`, async () =>
      mustBe('its state', await show('ActiveState'), 'inactive'),
    );
    await check(`${title}: starts with systemctl, as a user who exists only while it runs, and answers`, async () => {
      await good('systemctl', 'start', service);
      mustBe('the answer', await fetch(), 'Vrypt');
      const status = await good('cat', `/proc/${await show('MainPID')}/status`);
      const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
      if (uid < 61184 || uid > 65519) throw new Error(`its user must be of DynamicUser, 61184 to 65519, got ${uid}`);
      mustMatch('its rights', status, /^CapEff:\t0+$/m);
      mustMatch('its rights', status, /^NoNewPrivs:\t1$/m);
      return `user ${uid}, exposure ${await exposure(machine)}`;
    });
    await check(`${title}: systemd knows when it listens, and restarts it when it hangs`, async () => {
      await good('systemctl', 'stop', service);
      mustBe('its type', await show('Type'), 'notify');
      // Not a moment later: the command returns when the server has said that it listens.
      await good('systemctl', 'start', service);
      mustBe('the answer', await good('curl', '--silent', 'http://127.0.0.1:8080/'), 'Vrypt');
      machine.put(`/run/systemd/system/${service}.d/sooner.conf`, '[Service]\nWatchdogSec=2\n');
      await good('systemctl', 'daemon-reload');
      await good('systemctl', 'restart', service);
      const before = await show('MainPID');
      await good('sleep', '5');
      mustBe('its process while it lives', await show('MainPID'), before);
      await good('sh', '-c', `kill -STOP ${before}`);
      await machine.until(
        ['sh', '-c', `[ "$(systemctl show --value --property NRestarts ${service})" = 1 ]`],
        'it must be restarted',
      );
      mustBe('the answer', await fetch(), 'Vrypt');
      await good('rm', '-r', `/run/systemd/system/${service}.d`);
      await good('systemctl', 'daemon-reload');
    });
    await check(`${title}: takes its settings from ${settings}`, async () => {
      machine.put(settings, 'VRYPT_PORT=8081\nVRYPT_WORKERS=1\n');
      await good('systemctl', 'restart', service);
      mustBe('the answer', await fetch('http://127.0.0.1:8081/'), 'Vrypt');
    });
    await check(`${title}: an upgrade restarts it, and keeps the settings`, async () => {
      const before = await show('MainPID');
      await machine.good([...install, '/root/second']);
      mustBe('the answer', await fetch('http://127.0.0.1:8081/'), 'Vrypt');
      if ((await show('MainPID')) === before)
        throw new Error(`it must have been restarted, it is still process ${before}`);
      const listed = (await machine.run(['dpkg', '--status', name])).stdout;
      const inRpm = (await machine.run(['rpm', '--query', '--queryformat', '%{VERSION}', name])).stdout;
      mustMatch('the installed version', `${listed} ${inRpm}`, /999\.0\.0/);
      mustMatch('the settings', await good('cat', settings), /VRYPT_PORT=8081/);
    });
    await check(`${title}: its socket starts it at the first connection, and stays when it ends`, async () => {
      await good('systemctl', 'stop', service);
      machine.put(settings, 'VRYPT_WORKERS=2\n');
      await good('systemctl', 'start', socket);
      mustBe('its state', await show('ActiveState'), 'inactive');
      mustBe('the answer', await fetch(), 'Vrypt');
      mustBe('its state', await show('ActiveState'), 'active');
      await good('systemctl', 'stop', service);
      mustBe('the answer', await fetch(), 'Vrypt');
    });
    await check(`${title}: enabling it enables its socket, disabling ends that`, async () => {
      await good('systemctl', 'enable', service);
      mustBe('the socket', (await machine.run(['systemctl', 'is-enabled', socket])).stdout.trim(), 'enabled');
    });
    await check(`${title}: is stopped and removed without a trace`, async () => {
      await machine.good(remove);
      mustBe(
        'what serves',
        (await machine.run(['curl', '--silent', '--max-time', '2', 'http://127.0.0.1:8080/'])).stdout,
        '',
      );
      mustBe('its state', await show('ActiveState'), 'inactive');
      const found = (
        await machine.run(['find', '/usr', '/etc', '/lib/systemd', '/var/lib/systemd', '-name', `*${name}*`])
      ).stdout;
      mustBe(
        'what is left',
        found
          .split('\n')
          .filter((line) => line !== '' && !left.includes(line))
          .join(' '),
        '',
      );
      mustMatch('failed units', await good('systemctl', 'list-units', '--failed', '--no-legend', '--plain'), /^$/);
    });
  } finally {
    await machine.end();
  }
}

async function exposure(machine: Machine): Promise<string> {
  const { stdout } = await machine.run(['systemd-analyze', 'security', '--no-pager', service]);
  const level = /Overall exposure level.*: ([\d.]+)/.exec(stdout)?.[1] ?? '10';
  if (Number(level) > 1.5) throw new Error(`its exposure must be at most 1.5, got ${level}`);
  return level;
}

/** The same executable as a later version; its texts do not matter. */
async function makeUpgrades(): Promise<{ deb: Uint8Array; rpm: Uint8Array }> {
  const { package: about } = program;
  const target = readTargets().targets.find((each) => each.triple === triple);
  if (about === undefined || target === undefined) throw new Error(`${program.file} must describe packages`);
  const member = `${archiveFolder(target)}/${name}`;
  const packed = spawnSync('tar', ['-xzOf', released('tar.gz', triple), member], { maxBuffer: 1 << 28 });
  if (packed.status !== 0) throw new Error(`the archive must have ${member}: ${packed.stderr}`);
  const texts = { license: '', thirdParty: '', readme: '', changelog: '' };
  const facts = { name, version: newer, time: 0, about, commandLine: undefined, executable: packed.stdout, texts };
  const { glibc } = target.oldest;
  return {
    deb: await deb(debControl(facts, { architecture: 'amd64', glibc }), await packageFiles(facts, 'deb'), 0),
    rpm: await rpm(rpmFacts(facts, { architecture: 'x86_64', glibc }), await packageFiles(facts, 'rpm'), 0),
  };
}
