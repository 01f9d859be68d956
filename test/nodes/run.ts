/**
 * `npm run test:nodes`: the library's tests on every Node.js that its package names, as npm has them. Arguments choose versions, then
 * tests: `npm run test:nodes -- 22 test/app`. Exit code 1 if any fails.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');
/** The release lines that are maintained. */
const VERSIONS = ['22', '24', '26'];
/** Everything that the package is made of, and the package. */
const TESTS = [
  ...['app', 'content', 'engine', 'events', 'examples', 'fetch', 'files', 'http', 'websocket', 'wire', 'docs'].map(
    (room) => `test/${room}/`,
  ),
  'test/scripts/package-npm.test.ts',
];

const given = process.argv.slice(2);
const versions = given.filter((one) => /^\d+$/.test(one));
const tests = given.filter((one) => !/^\d+$/.test(one));
const failed: string[] = [];
for (const version of versions.length > 0 ? versions : VERSIONS) {
  const node = fetchNode(version);
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', '--project', 'source', '--testTimeout', '60000', ...(tests.length > 0 ? tests : TESTS)];
  // Programs that tests start are started with the same Node: it is first on the path, too.
  const env = { ...process.env, PATH: `${path.dirname(node)}:${process.env['PATH']}`, NODE_NO_WARNINGS: '1' };
  console.log(`\nNode.js ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
  if (spawnSync(node, args, { cwd: root, stdio: 'inherit', env }).status !== 0) failed.push(version);
}
if (failed.length > 0) {
  console.error(`failed on Node.js ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** The newest of that line, kept under build/nodes. */
function fetchNode(version: string): string {
  const place = path.join(root, 'build/nodes', version);
  const name = `node-linux-${process.arch}`;
  const node = path.join(place, 'node_modules', name, 'bin/node');
  if (!existsSync(node)) {
    const args = ['install', '--prefix', place, '--no-save', '--no-audit', '--no-fund', `${name}@${version}`];
    const { status } = spawnSync('npm', args, { cwd: root, stdio: 'inherit' });
    if (status !== 0) throw new Error(`${name}@${version} must be on npm: npm ended with ${status}`);
  }
  const { version: got } = JSON.parse(readFileSync(path.join(place, 'node_modules', name, 'package.json'), 'utf8'));
  if (!String(got).startsWith(`${version}.`)) throw new Error(`${node} must be Node.js ${version}, got ${got}`);
  return node;
}
