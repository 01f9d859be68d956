/**
 * Starts under limits on descriptors, address space, threads and memory, with more workers than fit: the server runs with what
 * fits, or says in one line why it does not start, and always ends.
 */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { ServerProcess } from '../cli/server-process.ts';
import { isServed } from './latency.ts';
import { type Finding, finding, note, type Proof, type ProofContext } from './proof.ts';

const DRAIN_TIMEOUT_MS = 5000;
const STARTS = 20;
/** An ordinary user without other processes. */
const USER = '64999';

/** The limit, then the requested workers. */
const OPEN_FILES = [
  [24, 1],
  [30, 2],
  [48, 2],
  [58, 2],
  [48, 4],
  [80, 4],
  [256, 16],
  [400, 16],
  [1024, 64],
] as const;
const ADDRESS_SPACE = [
  [1_048_576, 2],
  [1_600_000, 4],
] as const;
const THREADS = [
  [6, 2],
  [7, 4],
  [9, 4],
] as const;

export const limits: Proof = {
  title: 'starts and ends under limits on descriptors, address space, threads, memory; two starts at once',
  async run(context) {
    const findings: Finding[] = [];
    for (const [limit, workers] of OPEN_FILES) findings.push(await under(context, `ulimit -n ${limit}`, workers));
    // Addresses are plentiful if Node does not reserve any.
    for (const [limit, workers] of ADDRESS_SPACE) findings.push(await under(context, `ulimit -v ${limit}`, workers));
    if (process.getuid?.() === 0) {
      for (const [limit, workers] of THREADS) findings.push(await under(context, `ulimit -u ${limit}`, workers, USER));
      findings.push(await underMemory(context));
    }
    findings.push(await twoAtOnce(context));
    return findings;
  },
};

async function under({ command }: ProofContext, limit: string, workers: number, user?: string): Promise<Finding> {
  const asUser = user === undefined ? [] : ['setpriv', '--reuid', user, '--regid', user, '--clear-groups'];
  const limited = [...asUser, 'bash', '-c', `ulimit -c 0 && ${limit} && exec "$0" "$@"`, ...command];
  const args = ['-p', '0', '-H', '127.0.0.1', '-w', `${workers}`, '--drain-timeout', `${DRAIN_TIMEOUT_MS}ms`];
  const server = new ServerProcess(args, { command: limited });
  const isReady = await server.ready().then(
    () => true,
    () => false,
  );
  const served = isReady && (await isServed(server.port, 2000));
  const start = performance.now();
  const { code, stdout, stderr } = await (isReady ? server.stop() : server.ended);
  const took = performance.now() - start;
  const started = /\((\d+ workers?)\)/.exec(stdout)?.[1] ?? 'not started';
  const isMet = isReady ? served && code === 0 && took <= DRAIN_TIMEOUT_MS : code === 1 && /^[^\n]+\n$/.test(stderr);
  const figure = `${started}, ended with ${code} after ${took.toFixed(0)} ms${stderr && `; ${stderr.trim().replaceAll('\n', '; ')}`}`;
  return finding(`${limit}, ${workers} workers requested`, figure, 'serves and ends with 0, or one line and 1', isMet);
}

/** Version 1 of control groups, whose files root may create; `auto` on a machine with many cores is a table in the unit tests. */
async function underMemory({ command }: ProofContext): Promise<Finding> {
  const folder = `/sys/fs/cgroup/memory/vrypt-limits-${process.pid}`;
  try {
    mkdirSync(folder);
    writeFileSync(`${folder}/memory.limit_in_bytes`, `${40 * 1024 ** 2}`);
  } catch (error) {
    return note('40 MiB of memory, workers: auto', `not tried: ${(error as NodeJS.ErrnoException).code}`);
  }
  const limited = ['sh', '-c', `echo $$ >${folder}/cgroup.procs && exec "$0" "$@"`, ...command];
  const server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1'], { command: limited });
  try {
    const workers = /\((\d+ workers?)\)/.exec(server.stdout)?.[1] ?? '';
    const served = await isServed(server.port, 2000);
    return finding('40 MiB of memory, workers: auto', workers, '1 worker, serves', served && workers === '1 worker');
  } finally {
    await server.stop();
    rmdirSync(folder);
  }
}

async function twoAtOnce({ command }: ProofContext): Promise<Finding> {
  let both = 0;
  let neither = 0;
  for (let i = 0; i < STARTS; i++) {
    const finder = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1', '-w', '1'], { command });
    const { port } = finder;
    await finder.stop();
    const hosts = i % 2 === 0 ? ['127.0.0.1', '127.0.0.1'] : ['0.0.0.0', '127.0.0.1'];
    const servers = hosts.map((host) => new ServerProcess(['-p', `${port}`, '-H', host, '-w', '1'], { command }));
    const ready = await Promise.allSettled(servers.map((server) => server.ready()));
    const count = ready.filter(({ status }) => status === 'fulfilled').length;
    if (count === 2) both++;
    if (count === 0) neither++;
    await Promise.all(servers.map((server) => server.kill()));
  }
  const figure = `${STARTS - both - neither} of ${STARTS} times one, ${both} times both, ${neither} times neither`;
  return finding('two starts at once on one port', figure, 'always one of the two', both === 0 && neither === 0);
}
