/**
 * Uploads from a form, written to disk while they arrive, within limits. Answers Vanilla's multipart example.
 *
 *     node examples/uploads/server.ts [directory]          # default: uploads/ in the system's temporary directory
 *     curl -F title=Cat -F 'file=@cat.jpg' localhost:3000/files
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { baseName, ContentError, file, json, readForm, redirect, reply, serve } from 'vrypt-server';

const directory = process.argv[2] ?? path.join(tmpdir(), 'uploads');
const limits = { maxParts: 20, maxFieldBytes: 1000, maxFileBytes: 20_000_000, maxTotalBytes: 50_000_000 };
const page = `<!doctype html><meta charset="utf-8"><title>Uploads</title>
<form method="post" action="/files" enctype="multipart/form-data">
  <input name="title" placeholder="Title"> <input type="file" name="file" multiple required> <button>Upload</button>
</form>`;

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  limits: { maxBodySize: limits.maxTotalBytes },
  start: () => mkdir(directory, { recursive: true }),
  routes: {
    '/': reply(200, { 'Content-Type': 'text/html' }, page),
    '/files': {
      POST: async (call) => {
        const form = await readForm(call, { directory, limits });
        try {
          const kept: { name: string; size: number; title: string | null }[] = [];
          for (const { filename, path: temporary, size } of form.files) {
            // The client chose the name, so only its last part is used, and nothing is overwritten.
            const name = `${randomUUID()}-${baseName(filename)}`;
            await rename(temporary as string, path.join(directory, name));
            kept.push({ name, size, title: form.fields.get('title') });
          }
          if (kept.length === 0) throw new ContentError('malformed', 'a file must be given');
          if (call.header('accept')?.includes('text/html'))
            return redirect(`/files/${encodeURIComponent(kept[0]?.name ?? '')}`, 303);
          return json(kept, 201);
        } finally {
          // Files that are still there, because something failed, are deleted.
          await form.dispose();
        }
      },
    },
    '/files/:name': (call) =>
      file(call, call.params['name'] as string, {
        root: directory,
        // What strangers have uploaded must not run in our origin.
        fields: { 'Content-Security-Policy': 'sandbox', 'X-Content-Type-Options': 'nosniff' },
      }),
  },
  error: (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return undefined;
    return reply(507, { 'Content-Type': 'text/plain' }, 'the disk is full\n');
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}, files go to ${directory}`));
