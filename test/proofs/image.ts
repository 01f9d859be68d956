/** The container image as a container runs it: its executable is process 1, nobody, on a read-only root, without a network but its own. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { program } from '../../scripts/program/program.ts';
import { dyingWithParent } from '../../scripts/support/run.ts';
import { mustBe, mustBeAtMost, type Proof } from './proof.ts';
import { readManifest, released } from './released.ts';

const { name } = program;
const triple = 'x86_64-unknown-linux-musl';

interface Blob {
  readonly digest: string;
  readonly size: number;
}

export const image: Proof = {
  title: 'the container image, unpacked by umoci, run as process 1 of its own namespaces',
  needs: { skopeo: 'skopeo', umoci: 'umoci', nsenter: 'util-linux' },
  asRoot: true,
  async run(check) {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-image-'));
    const ran = (file: string, ...args: string[]): string => {
      const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: 'utf8' });
      if (status !== 0) throw new Error(`${file} must succeed, got ${status}: ${stderr}`);
      return stdout;
    };
    try {
      const rootfs = path.join(folder, 'bundle/rootfs');
      await check('skopeo and umoci unpack it', async () => {
        ran('skopeo', 'copy', '--quiet', `oci-archive:${released('image')}:${program.version}`, 'oci:layout:one');
        ran('umoci', 'unpack', '--image', 'layout:one', 'bundle');
        return readdirSync(rootfs).join(', ');
      });
      const config = JSON.parse(ran('skopeo', 'inspect', '--config', '--raw', 'oci:layout:one')) as {
        config: { Entrypoint: string[]; Healthcheck: { Test: string[] }; User: string };
      };
      await check('its files are the executable of the release and at most 0.6 MB more', async () => {
        const { executable } = readManifest().targets.find(({ target }) => target === triple) ?? {};
        mustBe('the executable', statSync(path.join(rootfs, name)).size, executable?.bytes);
        const all = Number(ran('du', '--bytes', '--summarize', '--apparent-size', rootfs).split('\t')[0]);
        return mustBeAtMost('what is beside it', (all - (executable?.bytes ?? 0)) / 1e6, 0.6, 'MB');
      });
      await check('each layer is at most 2 % larger than the archive of its target', async () => {
        const { targets } = readManifest();
        const ratios = layersIn(released('image'), folder).map(([architecture, size]) => {
          const entry = targets.find(({ target, platform }) => platform === architecture && target.includes('musl'));
          const archive = entry?.files.find(({ kind }) => kind === 'tar.gz')?.bytes ?? Number.NaN;
          return mustBeAtMost(`the layer of ${architecture}`, (size / archive - 1) * 100, 2, '%');
        });
        return ratios.join(', ');
      });
      const run = () => start(rootfs, [...config.config.Entrypoint, '8080']);
      await check('as process 1, nobody, read-only: it answers, is healthy, and ends with 0 at SIGTERM', async () => {
        mustBe('the user', config.config.User, '65534:65534');
        const server = await run();
        const inside = (...command: string[]) =>
          spawnSync('nsenter', ['--target', server.pid, '--net', '--mount', '--pid', ...command], { encoding: 'utf8' });
        const answer = inside('curl', '--silent', '--max-time', '5', 'http://127.0.0.1:8080/');
        const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
        mustBe('the answer', answer.stdout, 'Vrypt');
        mustBe('its process id', /^NSpid:.*\t(\d+)$/m.exec(status)?.[1], '1');
        mustBe('its user', /^Uid:\t(\d+)/m.exec(status)?.[1], '65534');
        const [, ...test] = config.config.Healthcheck.Test;
        const health = spawnSync('nsenter', ['--target', server.pid, '--net', 'chroot', rootfs, ...test], {
          encoding: 'utf8',
        });
        mustBe('the health check', `${health.status}${health.stderr}`, '0');
        mustBe('the exit code', await server.stop('SIGTERM'), 0);
      });
      await check('SIGINT ends it too, as in a terminal', async () =>
        mustBe('the exit code', await (await run()).stop('SIGINT'), 0),
      );
      await check('from its start to the line that says it listens at most 40 ms, the median of 15', async () => {
        const times: number[] = [];
        for (let round = 0; round < 15; round++) {
          const server = await run();
          times.push(server.startMs);
          await server.stop('SIGKILL');
        }
        times.sort((a, b) => a - b);
        return mustBeAtMost('the start', times[7] ?? Number.NaN, 40, 'ms');
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Running {
  readonly pid: string;
  readonly startMs: number;
  /** Its exit code. */
  stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null>;
}

/** The shell prepares what a container has and says the time; then it becomes the executable. */
async function start(rootfs: string, command: readonly string[]): Promise<Running> {
  const script = `ip link set lo up; mount --bind "$0" "$0"; mount -o remount,ro,bind "$0"
    echo "starts"; exec setpriv --no-new-privs chroot --userspec=65534:65534 "$0" "$@"`;
  const namespaces = ['--mount', '--pid', '--net', '--ipc', '--uts', '--fork', '--kill-child'];
  const [file, ...args] = dyingWithParent(['unshare', ...namespaces, 'bash', '-c', script, rootfs, ...command]);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  let began = 0;
  const startMs = await new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (part) => {
      if (text === '') began = performance.now();
      text += part;
      if (text.includes(' listening on ')) resolve(performance.now() - began);
    });
    child.on('exit', (code) => reject(new Error(`it must listen, it ended with ${code}: ${text}`)));
  });
  const [pid = ''] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
  return {
    pid,
    startMs,
    stop: async (signal) => {
      const ended = once(child, 'exit');
      // unshare passes on nothing, and takes its child along when it is killed.
      if (signal === 'SIGKILL') child.kill(signal);
      else process.kill(Number(pid), signal);
      return (await ended)[0];
    },
  };
}

/** Platform and compressed size of each image's layer. */
function layersIn(file: string, folder: string): [string, number][] {
  const read = (member: string): unknown =>
    JSON.parse(spawnSync('tar', ['-xOf', file, member], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 }).stdout);
  const blob = ({ digest }: Blob): unknown => read(`blobs/sha256/${digest.slice(7)}`);
  const [index] = (read('index.json') as { manifests: Blob[] }).manifests;
  if (index === undefined) throw new Error('the image must have an index, it has none');
  const { manifests } = blob(index) as {
    manifests: (Blob & { platform: { architecture: string; variant?: string } })[];
  };
  return manifests.map((entry) => {
    const { architecture, variant } = entry.platform;
    const { layers } = blob(entry) as { layers: Blob[] };
    const size = layers.reduce((sum, layer) => sum + layer.size, 0);
    return [['linux', architecture, variant].filter(Boolean).join('/'), size];
  });
}
