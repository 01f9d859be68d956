/** An example as a person starts it, on a free port, for one test; it must end well when it is told to. */
import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { ROOT, ServerProcess } from '../cli/server-process.ts';

export interface RunningExample {
  /** With a slash at its end. */
  readonly url: string;
  readonly process: ServerProcess;
  /** Ends it as a service manager does. */
  stop(): Promise<void>;
}

export async function runExample(
  name: string,
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): Promise<RunningExample> {
  const command = [process.execPath, path.join(ROOT, 'examples', name, 'server.ts')];
  // Node 22 warns that it strips types.
  const env = { PORT: '0', NODE_NO_WARNINGS: '1', ...environment };
  const example = new ServerProcess(args, { command, environment: env });
  onTestFinished(() => {
    if (!example.hasEnded) example.child.kill('SIGKILL');
  });
  await example.ready();
  const url = /listening on (http:\S+\/)/.exec(example.stdout)?.[1];
  if (url === undefined) throw new Error(`${name} must print where it listens, got ${example.stdout}`);
  return {
    url: url.replace('localhost', '127.0.0.1'),
    process: example,
    stop: async () => {
      example.child.kill('SIGTERM');
      const { code, stderr } = await example.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  };
}

export async function ask(
  url: string,
  init?: RequestInit,
): Promise<{ status: number; headers: Headers; value: unknown }> {
  const answer = await fetch(url, init);
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, value: isJson ? JSON.parse(text) : text };
}

export function post(url: string, value: unknown, headers: Record<string, string> = {}): ReturnType<typeof ask> {
  return ask(url, { method: 'POST', body: JSON.stringify(value), headers });
}
