/** Uploads onto a disk that becomes full: the example `uploads`, from source, on a small tmpfs in a mount namespace of its own. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT, ServerProcess } from '../cli/server-process.ts';
import { finding, note, type Proof } from './proof.ts';

const DISK = 8_000_000;
const FILE = 1_000_000;
const UPLOADS = 40;

export const disk: Proof = {
  title: `${UPLOADS} uploads at once of ${FILE} bytes each onto a disk of ${DISK}`,
  async run() {
    if (process.getuid?.() !== 0)
      return [finding('a disk of its own', 'not root', 'run as root, who may mount', false)];
    const place = mkdtempSync(path.join(tmpdir(), 'vrypt-disk-'));
    const script = `mount -t tmpfs -o size=${DISK} tmpfs ${place} && exec ${process.execPath} ${path.join(ROOT, 'examples/uploads/server.ts')} ${place}`;
    const command = ['unshare', '--mount', 'sh', '-c', script];
    const server = await ServerProcess.start([], { command, environment: { PORT: '0' } });
    const url = /listening on (http:\S+\/)/.exec(server.stdout)?.[1]?.replace('localhost', '127.0.0.1');
    // What the server sees there, and nobody else.
    const inside = path.join('/proc', String(server.pid), 'root', place);
    const counts = await uploadAll(`${url}files`);
    const whole = readdirSync(inside).filter((name) => statSync(path.join(inside, name)).size === FILE).length;
    const left = readdirSync(inside).length - whole;
    const kept = counts['201'] ?? 0;
    for (const name of readdirSync(inside)) rmSync(path.join(inside, name));
    const after = await upload(`${url}files`);
    const small = (await fetch(`${url}`)).status;
    server.child.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    rmSync(place, { recursive: true });
    const others = Object.keys(counts).filter((status) => status !== '201' && status !== '507');
    return [
      note('answers', JSON.stringify(counts)),
      finding(
        'answers other than 201 and 507',
        others.join(' ') || '0',
        '0',
        others.length === 0 && counts['507'] !== undefined,
      ),
      finding('files of those that got 201', `${whole} of ${kept}`, 'all', whole === kept),
      finding('parts of files left behind', String(left), '0', left === 0),
      finding('an upload once there is room', String(after), '201', after === '201' && small === 200),
      finding('the end', `exit code ${code}, ${stderr.length} bytes on stderr`, '0, 0', code === 0 && stderr === ''),
    ];
  },
};

async function uploadAll(url: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const status of await Promise.all(Array.from({ length: UPLOADS }, () => upload(url)))) {
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

function upload(url: string): Promise<string> {
  const body = new FormData();
  body.set('file', new File([Buffer.alloc(FILE, 'x')], 'file'));
  return fetch(url, { method: 'POST', body }).then(
    ({ status }) => String(status),
    (error: Error) => String(error.cause ?? error),
  );
}
