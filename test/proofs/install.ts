/** `install.sh` by one line, in the systems that people have, from a server that also lies. */
import { gzipSync } from 'node:zlib';
import { program } from '../../scripts/program/program.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { sign } from '../release/installer.ts';
import { type ReleaseServer, startReleaseServer } from '../release/release-server.ts';
import { Machine } from './machine.ts';
import { type Check, mustBe, mustBeAtMost, mustMatch, type Proof } from './proof.ts';
import { readManifest, releasedFiles } from './released.ts';
import { busyboxRoot, debianRoot, debianSuites, foreignDebianRoot } from './roots.ts';

const { name } = program;
const nobody = 65534;

export const install: Proof = {
  title:
    'install.sh by one line: Debian 11 and 12, BusyBox and musl, four CPUs with either C library; a truncated, a wrong, a hostile download',
  needs: { busybox: 'busybox', debootstrap: 'debootstrap', nsenter: 'util-linux' },
  asRoot: true,
  async run(check) {
    const server = await startReleaseServer();
    for (const [file, bytes] of releasedFiles()) server.files.set(file, bytes);
    try {
      for (const [suite, title] of Object.entries(debianSuites)) {
        const root = await debianRoot(suite as keyof typeof debianSuites);
        await tryRoot(check, server, { title, root, triple: 'x86_64-unknown-linux-gnu', get: 'curl -fsSL' });
      }
      for (const [cpu, architecture] of [
        ['amd64', 'x86_64'],
        ['i386', 'i686'],
        ['arm64', 'aarch64'],
        ['armhf', 'armv7'],
      ] as const) {
        for (const libc of ['musl', 'glibc'] as const) {
          const { triple } =
            readTargets().targets.find((each) => each.architecture.name === architecture && each.libc === libc) ?? {};
          // x86_64 with glibc has its own systems above.
          if (triple === undefined || (libc === 'glibc' && cpu === 'amd64')) continue;
          if (!readManifest().targets.some(({ target }) => target === triple)) continue;
          const { root, rule } = await (libc === 'musl' ? busyboxRoot(cpu) : foreignDebianRoot(cpu));
          const system = libc === 'musl' ? 'BusyBox and musl' : 'Debian 11';
          const title = `${system} on ${architecture}${rule === undefined ? '' : ', emulated'}`;
          await tryRoot(check, server, { title, root, rule, triple, get: 'wget -qO-' });
        }
      }
    } finally {
      await server.close();
    }
  },
};

interface Tried {
  readonly title: string;
  readonly root: string;
  readonly rule?: string | undefined;
  /** What must be chosen. */
  readonly triple: string;
  /** The command that prints a file from the net. */
  readonly get: string;
}

async function tryRoot(check: Check, server: ReleaseServer, { title, root, rule, triple, get }: Tried): Promise<void> {
  const machine = await Machine.start(root, { init: 'sleep', rule });
  const archive = [...server.files.keys()].find((file) => file.endsWith(`-${triple}.tar.gz`)) ?? '';
  const good = server.files.get(archive) ?? Buffer.alloc(0);
  const sh = (line: string, user = 0) =>
    machine.run(['sh', '-c', line], { user, env: { HOME: '/tmp/home', INSTALL_PAUSE: '0' } });
  const line = `${get} ${server.url}/install.sh | sh -s -- --from ${server.url}`;
  const withFiles = async (change: () => void, work: () => Promise<void>): Promise<void> => {
    change();
    sign(server.files);
    try {
      await work();
    } finally {
      server.misbehaviors.clear();
      server.files.set(archive, good);
      sign(server.files);
    }
  };
  try {
    await check(`${title}: one line installs ${triple}, verified, in at most 5 s`, async () => {
      const start = performance.now();
      const { code, stdout, stderr } = await sh(line);
      const seconds = (performance.now() - start) / 1000;
      if (code !== 0) throw new Error(`it must end with exit code 0, got ${code}: ${stderr}`);
      mustMatch('what it says', stdout, new RegExp(`for ${triple} `));
      mustMatch('what it says', stdout, /^checksum: good$/m);
      mustMatch('the version', await machine.good([`/usr/local/bin/${name}`, '--version']), /^\d\S* \([0-9a-f]{12}/);
      // Emulated, its start alone takes two.
      return mustBeAtMost('the time', seconds, rule === undefined ? 5 : 30, 's');
    });
    await check(`${title}: it serves`, async () => mustBe('the answer', await ask(machine), 'Vrypt'));
    await check(`${title}: it goes without a trace`, async () => {
      await machine.good(['sh', '-c', `${get} ${server.url}/install.sh | sh -s -- --uninstall`]);
      mustBe('what is left', await machine.good(['find', '/usr/local', '-name', `*${name}*`]), '');
    });
    await check(`${title}: nobody gets it into ~/.local, and has no rights for more`, async () => {
      await machine.good(['sh', '-c', `mkdir -p /tmp/home && chown ${nobody} /tmp/home`]);
      const { code, stderr } = await sh(line, nobody);
      mustBe('the exit code', `${code} ${stderr}`, '0 ');
      mustMatch(
        'the version',
        (await sh(`/tmp/home/.local/bin/${name} --version`, nobody)).stdout,
        /^\d\S* \([0-9a-f]{12}/,
      );
      const refused = await sh(`${line} --prefix /usr/local`, nobody);
      mustBe('the exit code', refused.code, 1);
      mustMatch('what it says', refused.stderr, /\/usr\/local\/bin must be writable, it is not/);
    });
    await check(`${title}: a download that is cut off once is continued`, () =>
      withFiles(
        () => server.misbehaviors.set(archive, 'truncates once'),
        async () => mustBe('the exit code', (await sh(line)).code, 0),
      ),
    );
    await machine.good(['sh', '-c', `rm -rf /usr/local/bin/${name}`]);
    for (const [what, change] of [
      ['that always ends early', () => void server.misbehaviors.set(archive, 'truncates')],
      ['of something else', () => void server.files.set(archive, gzipSync('something else'))],
      ['that never ends', () => void server.misbehaviors.set('checksums-sha256.txt', 'endless')],
    ] as const) {
      await check(`${title}: a download ${what} installs nothing`, async () => {
        await withFiles(change, async () => {
          // Its list is of what was there before.
          server.files.set('checksums-sha256.txt', releasedFiles().get('checksums-sha256.txt') ?? Buffer.alloc(0));
          mustBe('the exit code', (await sh(line)).code, 1);
          mustBe('what is there', (await machine.run(['ls', `/usr/local/bin/${name}`])).stdout, '');
        });
      });
    }
  } finally {
    await machine.end();
  }
}

/** Starts it there on a free port and asks. */
function ask(machine: Machine): Promise<string> {
  const script = `cd /tmp && ${name} 0 -w 1 --host 127.0.0.1 >log & pid=$!
    i=0; until grep -q listening /tmp/log; do i=$((i+1)); [ $i -lt 200 ] || exit 1; sleep 0.1; done
    url=$(sed -n 's/.*\\(http:[^ ]*\\) .*/\\1/p' /tmp/log)
    if command -v curl >/dev/null; then curl -s "$url"; else wget -qO- "$url"; fi
    kill $pid; wait $pid`;
  return machine.good(['sh', '-c', script]);
}
