/** A server whose PostgreSQL dies and comes back while clients go on asking: the example `database`, from source. */
import { createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { ROOT, ServerProcess } from '../cli/server-process.ts';
import { PostgreSQL, postgresPrograms } from '../examples/postgresql.ts';
import { finding, note, type Proof, sleep } from './proof.ts';

const CLIENTS = 32;
const ROUNDS = 3;
const AWAY_MS = 2000;
/** Of the last round, in which something else takes its connections and says nothing, as a machine that hangs does. */
const SILENT_MS = 10_000;

export const database: Proof = {
  title: `PostgreSQL is killed and comes back, ${ROUNDS} times, under ${CLIENTS} clients; the last time something silent takes its place meanwhile`,
  async run({ say }) {
    if (postgresPrograms === null) return [finding('PostgreSQL', 'not installed', 'apt-get install postgresql', false)];
    const postgresql = await PostgreSQL.start();
    const command = [process.execPath, path.join(ROOT, 'examples/database/server.ts')];
    const environment = { PORT: '0', DATABASE_URL: postgresql.url };
    const server = await ServerProcess.start([], { command, environment });
    const url = /listening on (\S+)/.exec(server.stdout)?.[1]?.replace('localhost', '127.0.0.1');
    const counts = new Map<string, number>();
    let isOver = false;
    let slowest = 0;
    let lastGood = 0;
    const client = async () => {
      while (!isOver) {
        const start = performance.now();
        const outcome = await fetch(`${url}health`).then(
          async (answer) => {
            await answer.text();
            return String(answer.status);
          },
          (error: Error) => String(error.cause ?? error),
        );
        const end = performance.now();
        slowest = Math.max(slowest, end - start);
        if (outcome === '200') lastGood = end;
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        // A client that is told to come back later does not come back at once.
        if (outcome !== '200') await sleep(50);
      }
    };
    const clients = Array.from({ length: CLIENTS }, client);
    const recoveries: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(500);
      await postgresql.goAway('SIGKILL');
      const silent = round === ROUNDS - 1 ? await listenSilently(postgresql.port) : null;
      await sleep(silent === null ? AWAY_MS : SILENT_MS);
      await silent?.close();
      await postgresql.comeBack();
      const back = performance.now();
      while (lastGood < back && performance.now() - back < 20_000) await sleep(20);
      recoveries.push(Math.max(0, lastGood - back));
      say(`  round ${round + 1}: ${JSON.stringify(Object.fromEntries(counts))}`);
    }
    isOver = true;
    await Promise.all(clients);
    server.child.kill('SIGTERM');
    const { code, stderr } = await server.ended;
    await postgresql.close();
    const others = [...counts].filter(([outcome]) => outcome !== '200' && outcome !== '503');
    const recovery = Math.max(...recoveries);
    return [
      note('answers', JSON.stringify(Object.fromEntries(counts))),
      finding('outcomes other than 200 and 503', String(others.length), '0', others.length === 0),
      finding('slowest answer', `${slowest.toFixed(0)} ms`, '≤ 5000 ms', slowest <= 5000),
      finding('served again after its return', `${recovery.toFixed(0)} ms`, '≤ 2000 ms', recovery <= 2000),
      finding('the end', `exit code ${code}, ${stderr.length} bytes on stderr`, '0, 0', code === 0 && stderr === ''),
    ];
  },
};

async function listenSilently(port: number): Promise<{ close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    async close() {
      for (const socket of sockets) socket.resetAndDestroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
