/**
 * Runs the modules in its arguments one after another, in a process of their own. Prints a line of JSON for each once its servers
 * listen, and goes on to the next when it is told to.
 */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import type { Server } from '../../src/index.ts';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

for (const file of process.argv.slice(2)) {
  const servers: Server[] = [];
  Object.assign(globalThis, { snippetServers: servers });
  try {
    await import(pathToFileURL(file).href);
    for (const server of servers) await server.ready;
    console.log(JSON.stringify({ port: servers[0]?.port ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String((error as Error).stack) }));
  }
  await lines.next();
  for (const server of servers) await server.stop(true);
}
process.exit();
