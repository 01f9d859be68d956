/** Every program in docs/ runs, and the commands below it print what the page says. */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { root } from '../../scripts/support/checkout.ts';

vi.setConfig({ testTimeout: 300_000 });

const DOCS = path.join(root, 'docs');
/** Inside the package, so that it can import itself by name. */
const MODULES = path.join(root, 'build/docs');
/** No page of programs: links, what is generated, and configurations, which web-server.test.ts checks. */
const others = ['README.md', 'reference.md', 'web-server.md'];
const pages = readdirSync(DOCS).filter((file) => !others.includes(file));
const run = promisify(execFile);

interface Snippet {
  readonly line: number;
  readonly code: string;
  readonly commands: readonly { readonly command: string; readonly output: string }[];
}

/** A `js` block is a program; a `console` block after it, what a person types and sees. Other blocks are not for running. */
function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(path.join(DOCS, page), 'utf8');
  const blocks = text.matchAll(/^```js\n([\s\S]*?)^```\n(?:\n```console\n([\s\S]*?)^```\n)?/gm);
  return [...blocks].map((block) => {
    const [, code = '', session = ''] = block;
    const commands = session
      .split(/^\$ /m)
      .slice(1)
      .map((one) => {
        const [command = '', ...output] = one.split('\n');
        return { command, output: output.join('\n').trimEnd() };
      });
    return { line: text.slice(0, block.index).split('\n').length, code, commands };
  });
}

/** The same program on a free port; whoever runs it gets its servers. */
function moduleOf({ code }: Snippet): string {
  const body = code.replace(/(?<!import .*)\bserve\(/g, 'snippetServe(');
  return `import { serve as realServe } from 'vrypt-server';
function snippetServe(app) {
  const server = realServe({ ...app, port: 0, entry: import.meta.url, handleSignals: false });
  globalThis.snippetServers?.push(server);
  return server;
}
${body}`;
}

let place = '';
beforeAll(() => {
  mkdirSync(MODULES, { recursive: true });
  place = mkdtempSync(path.join(tmpdir(), 'vrypt-docs-'));
  for (const folder of ['public', 'uploads']) mkdirSync(path.join(place, folder));
  writeFileSync(path.join(place, 'public/index.html'), '<h1>Hello</h1>\n');
  writeFileSync(path.join(place, 'public/app-0123abcd.js'), 'export {};\n');
});
afterAll(() => rmSync(place, { recursive: true }));

test.each(pages)('%s', async (page) => {
  const snippets = snippetsOf(page);
  expect(snippets.length).toBeGreaterThan(0);
  const files = snippets.map((snippet, index) => {
    const file = path.join(MODULES, `${page}-${index}.mjs`);
    writeFileSync(file, moduleOf(snippet));
    return file;
  });
  const runner = [path.join(import.meta.dirname, 'run-snippets.ts'), ...files];
  const child = spawn(process.execPath, runner, { cwd: place, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  for (const { line, commands } of snippets) {
    const started = await nextReport(lines);
    expect({ page, line, ...started }).not.toHaveProperty('error');
    for (const { command, output } of commands) {
      const here = `127.0.0.1:${started.port}`;
      const { stdout } = await run('sh', ['-c', command.replaceAll('localhost:3000', here)], { cwd: place });
      const seen = stdout.replaceAll('\r', '').replaceAll(here, 'localhost:3000').trimEnd();
      expect({ page, line, command, output: seen }).toEqual({ page, line, command, output });
    }
    child.stdin.write('\n');
  }
});

/** What a program prints itself is skipped. */
async function nextReport(lines: AsyncIterator<string>): Promise<{ port?: number; error?: string }> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) return { error: 'the program ended' };
    if (/^\{"(port|error)":/.test(value)) return JSON.parse(value);
  }
}
