/** Channels across the threads of one process, by BroadcastChannel. Owns the channel. */
import { BroadcastChannel } from 'node:worker_threads';
import type { ChannelNews, ChannelRelay } from './channels.ts';

export interface ThreadRelay extends ChannelRelay {
  close(): void;
}

/** All threads that give the same name hear each other. `onNews` is told what the others send; nothing keeps the thread alive. */
export function openThreadRelay(name: string, onNews: (news: ChannelNews) => void): ThreadRelay {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => onNews((event as { data: ChannelNews }).data);
  channel.unref();
  return {
    send: (news) => channel.postMessage(news),
    close: () => channel.close(),
  };
}
