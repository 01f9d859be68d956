/**
 * Server-sent events: a page that shows what others publish, and misses nothing when it reconnects. Answers Vanilla's `sse` example.
 *
 *     node examples/sse/server.ts          # then open http://localhost:3000/
 *     curl -d 'Hello' localhost:3000/news
 */
import path from 'node:path';
import { type EventSink, events, file, reply, serve } from 'vrypt-server';

const page = path.join(import.meta.dirname, 'page.html');
/** What clients that reconnect have missed is looked up here. */
const KEPT = 100;

interface News {
  readonly id: number;
  readonly text: string;
}
const news: News[] = [];
const readers = new Set<EventSink>();
let lastId = 0;

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  routes: {
    '/': (call) => file(call, page),
    '/news': {
      GET: (call) =>
        events(call, async (out) => {
          const seen = Number(out.lastEventId ?? 0);
          for (const one of news) if (one.id > seen) await send(out, one);
          readers.add(out);
          // Resolves when the client goes, or a drain begins: then the browser reconnects, to the next server.
          await out.closed;
          readers.delete(out);
        }),
      POST: async (call) => {
        const one = { id: ++lastId, text: await call.body.text(10_000) };
        news.push(one);
        if (news.length > KEPT) news.shift();
        for (const out of readers) void send(out, one);
        return reply(202);
      },
    },
  },
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

/** A reader that is too slow for what it is sent has gone, or will ask again with its Last-Event-ID. */
async function send(out: EventSink, { id, text }: News): Promise<void> {
  try {
    await out.send(text, { id: String(id), event: 'news', retry: 1000 });
  } catch {
    readers.delete(out);
  }
}
