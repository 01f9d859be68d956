/**
 * Servers with HTTP/3, as processes of the committed runtime, because QUIC is in no other Node; from source, which is bundled for it,
 * since it knows no types. And a client on the same runtime.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import { onTestFinished } from 'vitest';
import { ROOT, ServerProcess } from '../cli/server-process.ts';

const run = promisify(execFile);

/** Empty, or why these tests cannot run. */
export const lack =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'only the runtimes of x86_64 have QUIC'
    : spawnSync('xz', ['--version']).status !== 0
      ? 'xz is missing; type: apt-get install xz-utils'
      : '';

export interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Bytes to send. */
  readonly content?: number;
  /** After the content: as an object, or names and values just as they are. */
  readonly trailers?: Readonly<Record<string, string>> | RawFields;
  /** Instead of all other fields, just as they are. */
  readonly raw?: RawFields;
}

type RawFields = readonly (readonly [name: string, value: string])[];

export interface Got {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly interim: readonly Readonly<Record<string, string>>[];
  readonly length: number;
  readonly text: string;
  readonly error?: string;
  readonly trailers?: Readonly<Record<string, string>>;
  /** The code that the stream was reset with. */
  readonly reset?: number;
}

const BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Makes them once for a file of tests; `close` removes them. */
export class Http3Parts {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'vrypt-http3-'));
  readonly node = path.join(this.folder, 'node');

  constructor(triple: string) {
    const runtime = execFileSync('xz', ['-dc', path.join(ROOT, 'runtimes', triple, 'node.xz')], {
      maxBuffer: 1 << 28,
    });
    writeFileSync(this.node, runtime);
    chmodSync(this.node, 0o755);
    mkdirSync(this.#out);
    buildSync({
      entryPoints: ['src/index.ts', 'src/main.ts', 'src/workers/worker.ts'].map((one) => path.join(ROOT, one)),
      outdir: this.#out,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      outExtension: { '.js': '.mjs' },
      banner: { js: BANNER },
      logLevel: 'warning',
    });
  }

  get #out(): string {
    return path.join(this.folder, 'out');
  }

  /** The module's text sees `serve`, `reply`, `stream` and `files`, and must print a line when it is ready. */
  async serve(
    text: string,
    environment: Readonly<Record<string, string>> = {},
    options: readonly string[] = ['--experimental-quic'],
  ): Promise<ServerProcess> {
    const file = path.join(this.folder, `${Math.random()}.mjs`);
    writeFileSync(file, `import { files, reply, serve, stream } from './out/index.mjs';\n${text}`);
    const server = await ServerProcess.start([], { command: [this.node, ...options, file], environment });
    onTestFinished(async () => void (await server.kill()));
    return server;
  }

  /** A web server by its configuration, with one worker. */
  async web(config: string): Promise<ServerProcess> {
    const file = path.join(this.folder, `${Math.random()}.toml`);
    writeFileSync(file, config);
    const command = [this.node, '--experimental-quic', path.join(this.#out, 'main.mjs')];
    const server = await ServerProcess.start(['web', '--config', file], { command });
    onTestFinished(async () => void (await server.kill()));
    return server;
  }

  async ask(
    port: number,
    requests: readonly Asked[],
    name = 'localhost',
  ): Promise<{ subject: string; answers: Got[] }> {
    const client = path.join(import.meta.dirname, 'client.mjs');
    const isRaw = requests.some(({ raw, trailers }) => raw !== undefined || Array.isArray(trailers));
    const options = ['--experimental-quic', '--no-warnings', ...(isRaw ? ['--expose-internals'] : [])];
    const args = [...options, client, String(port), JSON.stringify({ name, requests })];
    const { stdout } = await run(this.node, args, { timeout: 60_000 });
    return JSON.parse(stdout);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
