/**
 * Documents with entity tags: no byte is sent twice, and no change is lost. Answers Vanilla's `etag` example.
 *
 *     node examples/etag/server.ts
 *     curl -i localhost:3000/notes/a -T README.md -H 'If-None-Match: *'     # 201: it must not exist yet
 *     curl -i localhost:3000/notes/a -H 'If-None-Match: "…"'                # 304: you have it already
 *     curl -i localhost:3000/notes/a -T README.md -H 'If-Match: "…"'        # 204, or 412 if somebody was faster
 */
import { type Call, entityTag, precondition, reply, serve, type Validators, validatorFields } from 'vrypt-server';

interface Note extends Validators {
  readonly content: Uint8Array;
}

const notes = new Map<string, Note>();
const FIELDS = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' };

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  routes: {
    '/notes/:name': {
      GET: (call) => {
        const note = noteOf(call);
        if (note === null) return reply(404);
        return (
          precondition(call, note, FIELDS) ??
          reply(200, [...Object.entries(FIELDS), ...validatorFields(note)], note.content)
        );
      },
      PUT: async (call) => {
        const content = await call.body.bytes(1024 * 1024);
        // Evaluated after the last await, so that nothing comes between the check and the change.
        const before = noteOf(call);
        // A change without a condition could overwrite somebody else's (RFC 6585 §3).
        if (call.header('if-match') === null && call.header('if-none-match') === null) return reply(428);
        const refused = precondition(call, before);
        if (refused !== null) return refused;
        const note: Note = { content, etag: entityTag(content), lastModified: Date.now() };
        notes.set(nameOf(call), note);
        return reply(before === null ? 201 : 204, validatorFields(note));
      },
      DELETE: (call) => {
        const refused = precondition(call, noteOf(call));
        if (refused !== null) return refused;
        return reply(notes.delete(nameOf(call)) ? 204 : 404);
      },
    },
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

function nameOf(call: Call): string {
  return call.params['name'] as string;
}

function noteOf(call: Call): Note | null {
  return notes.get(nameOf(call)) ?? null;
}
