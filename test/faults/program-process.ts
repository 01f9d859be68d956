/** The program of the proofs as a process, and what clients of it send. */
import path from 'node:path';
import { type Ended, ROOT, ServerProcess } from '../cli/server-process.ts';
import { RawClient } from '../engine/raw-client.ts';
import { type Finding, finding } from './proof.ts';

const PROGRAM = path.join(ROOT, 'test/faults/program.ts');

/** `uses` must leave the server running; its end is judged here. */
export async function withProgram(
  args: readonly string[],
  stderrIsEmpty: boolean,
  use: (server: ServerProcess, startedInMs: number) => Promise<Finding[]>,
): Promise<Finding[]> {
  const begin = performance.now();
  const server = await ServerProcess.start(args, { command: [process.execPath, PROGRAM] });
  try {
    const findings = await use(server, performance.now() - begin);
    return [...findings, judged(await server.stop(), stderrIsEmpty)];
  } finally {
    if (!server.hasEnded) await server.kill();
  }
}

function judged({ code, signal, stderr }: Ended, isEmpty: boolean): Finding {
  const figure = `${code ?? signal}, ${stderr === '' ? 'nothing' : JSON.stringify(stderr.slice(0, 300))}`;
  return isEmpty
    ? finding('exit code, and what is on stderr', figure, '0, nothing', code === 0 && stderr === '')
    : finding('exit code', `${code ?? signal}`, '0', code === 0);
}

export function request(path: string, more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
}

export function upgrade(topic: string): string {
  const fields = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n';
  return request(`/ws/${topic}`, `${fields}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`);
}

/** The body of a small answer. */
export async function ask(port: number, path: string): Promise<string> {
  const client = await RawClient.connect(port);
  try {
    return (await client.send(request(path)).response()).body;
  } finally {
    client.close();
  }
}

/** Everything until the server ends the connection. */
export async function whole(port: number, bytes: string): Promise<string> {
  const client = await RawClient.connect(port);
  return client.send(bytes).end();
}
