/**
 * A directory over HTTP: ranges, entity tags, precompressed files, listings, an index. Answers Peregrine's file and directory servers
 * and Vanilla's static assets.
 *
 *     node examples/files/server.ts [directory]          # default: the working directory
 *     curl -r 0-99 localhost:3000/README.md
 */
import { files, reply, serve } from 'vrypt-server';

const root = process.argv[2] ?? process.cwd();

serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  routes: {
    '/*': await files(root, {
      listing: true,
      // Names with a hash in them never change.
      immutable: /-[0-9a-f]{8,}\.\w+$/,
      fields: { 'X-Content-Type-Options': 'nosniff' },
    }),
  },
  // Nothing leads out of the root, and names that start with a dot are not served: both get this.
  handle: (call) => reply(404, { 'Content-Type': 'text/plain' }, `there is no ${call.path}\n`),
  done: (call, { status, bytes, ms }) =>
    console.log(`${call.method} ${call.path} ${status} ${bytes} ${ms.toFixed(2)} ms`),
}).ready.then(({ url }) => console.log(`listening on ${url}`));
