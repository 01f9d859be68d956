/** Channels across the threads of one process, by BroadcastChannel. Owns the channel. */
import { BroadcastChannel } from 'node:worker_threads';
import type { ChannelNews, ChannelRelay } from './channels.ts';

export interface ThreadRelay extends ChannelRelay {
  close(): void;
}

/** Connects all threads that use the same name. `onNews` receives what the others send. Does not keep the thread alive. */
export function openThreadRelay(name: string, onNews: (news: ChannelNews) => void): ThreadRelay {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => onNews((event as { data: ChannelNews }).data);
  channel.unref();
  return {
    send: (news) => channel.postMessage(news),
    close: () => channel.close(),
  };
}
