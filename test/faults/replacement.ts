/** A new server beside the old one (`--share`), then SIGTERM to the old one, under load from clients that reconnect. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ServerProcess } from '../cli/server-process.ts';
import { ClientProcess } from './client-process.ts';
import type { CheckedOrders, CheckedReport, CheckedStart } from './clients/checked.ts';
import { type Finding, finding, milliseconds, note, type Proof, type ProofContext, sleep } from './proof.ts';

const REPLACEMENTS = 20;
/** Without tcp_migrate_req, a connection in the middle of its handshake may be lost with the listener. */
const MAX_FAILED: Readonly<Record<string, number>> = { '0': 3, '1': 0 };
const MIGRATE = '/proc/sys/net/ipv4/tcp_migrate_req';

export const replacement: Proof = {
  title: `${REPLACEMENTS} replacements under load: connections per request and persistent ones; argument: tcp_migrate_req`,
  async run(context) {
    const original = readFileSync(MIGRATE, 'utf8').trim();
    const findings: Finding[] = [];
    try {
      for (const value of context.args.length > 0 ? context.args : ['0', '1']) {
        if (!setMigrate(value)) {
          findings.push(note(`net.ipv4.tcp_migrate_req=${value}`, 'cannot be set on this machine'));
          continue;
        }
        findings.push(...(await replaceAll(context, value)));
      }
    } finally {
      setMigrate(original);
    }
    return findings;
  },
};

function setMigrate(value: string): boolean {
  try {
    if (readFileSync(MIGRATE, 'utf8').trim() !== value) writeFileSync(MIGRATE, value);
    return true;
  } catch {
    return false;
  }
}

async function replaceAll({ command, say }: ProofContext, migrate: string): Promise<Finding[]> {
  let server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1', '-w', '2'], { command });
  const { port } = server;
  const orders: CheckedOrders = { port, persistent: 16, depth: 1, single: 16, reconnects: true };
  const client = new ClientProcess('checked', orders);
  try {
    await client.report<CheckedStart>();
    for (let i = 0; i < REPLACEMENTS; i++) {
      const args = ['-p', String(port), '-H', '127.0.0.1', '-w', '2', '--share'];
      const next = await ServerProcess.start(args, { command });
      const old = server;
      server = next;
      await sleep(100);
      const { code } = await old.stop();
      if (code !== 0) say(`  replacement ${i + 1}: the old server ended with ${code}`);
    }
    client.tell('stop');
    const { answers, connections, failed, wrong, slow, slowestMs } = await client.report<CheckedReport>();
    const count = Object.values(failed).reduce((sum, one) => sum + one, 0);
    const allowed = MAX_FAILED[migrate] ?? 0;
    const reasons = Object.entries(failed).map(([reason, one]) => `${one} × ${reason}`);
    return [
      finding(
        `tcp_migrate_req=${migrate}: requests answered, connections, failed, wrong`,
        `${answers}, ${connections}, ${count}${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}, ${wrong}`,
        `≤ ${allowed} failed, 0 wrong`,
        count <= allowed && wrong === 0,
      ),
      note(`tcp_migrate_req=${migrate}: slower than 500 ms, slowest`, `${slow}, ${milliseconds(slowestMs)}`),
    ];
  } finally {
    await client.end();
    await server.kill();
  }
}
