/** Which worker of a server this is, and how it reaches the others. */
import { isMainThread, type MessagePort, workerData } from 'node:worker_threads';
import { createCounters, type SharedCounters } from '../engine/counters.ts';
import { openParent } from '../processes/parent.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import type { ChannelNews } from '../websocket/channels.ts';
import { openThreadRelay, type ThreadRelay } from '../websocket/thread-relay.ts';
import type { Endpoint } from './listeners.ts';

export type OpenRelay = (onNews: (news: ChannelNews) => void) => ThreadRelay;

export interface WorkerPlace {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** Identifies this worker and no other, not even the one that it replaces. */
  readonly name: string;
  readonly counters: SharedCounters;
  /** Its place in the counters. */
  readonly slot: number;
  /** Connects the WebSockets of all workers; null: it is alone. */
  readonly openRelay: OpenRelay | null;
  /** What the first worker or the manager has set for all; null: without TLS, and in the first worker. */
  readonly tls: SharedTls | null | Promise<SharedTls | null>;
}

/** What a worker is told, as data. */
export interface ThreadPlace {
  readonly index: number;
  readonly count: number;
  readonly counters: SharedCounters;
  readonly slot: number;
  /** Of the channel between the workers. */
  readonly relayName: string;
  /** Set by worker 0 before it starts the others; null without TLS. */
  readonly tls: SharedTls | null;
}

/** Which call of `serve()` in the entry module joins in, from 0, and where the server listens. */
interface Joined {
  readonly call: number;
  readonly endpoints: readonly Endpoint[];
}

/** A thread's workerData. */
export interface JoiningThread extends Joined {
  readonly place: ThreadPlace;
  readonly control: MessagePort;
}

/** In a process' environment, as JSON. */
export interface JoiningProcess extends Joined {
  readonly index: number;
  readonly count: number;
  /** What TLS shares follows as a message: an environment can be read for as long as its process lives. */
  readonly hasTls: boolean;
}

export const JOINING_VARIABLE = '__VRYPT_JOINING';

export type ToWorker =
  | { readonly type: 'end'; readonly graceMs: number }
  | { readonly type: 'tls'; readonly tls: SharedTls }
  /** Of WebSockets in other processes. */
  | { readonly type: 'news'; readonly news: ChannelNews };

export type FromWorker =
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly type: 'ended' }
  | { readonly type: 'news'; readonly news: ChannelNews }
  | { readonly type: 'counts'; readonly requests: number; readonly webSockets: number };

export interface Joining extends Joined {
  readonly place: WorkerPlace;
  readonly isProcess: boolean;
  tell(message: FromWorker): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

/** The first worker's. */
export function firstPlace(count: number): WorkerPlace & { readonly relayName: string } {
  const relayName = `vrypt-server ${crypto.randomUUID()}`;
  // Twice as many, for workers that replace others.
  const counters = createCounters(count === 1 ? 1 : 2 * count);
  return { ...threadPlace({ index: 0, count, counters, slot: 0, relayName, tls: null }), relayName };
}

function threadPlace({ relayName, ...place }: ThreadPlace): WorkerPlace {
  const openRelay: OpenRelay | null = place.count > 1 ? (onNews) => openThreadRelay(relayName, onNews) : null;
  return { ...place, name: String(place.slot), openRelay };
}

let joining: Joining | null | undefined;

/** Null if this thread or process was not started by a server. */
export function joiningOf(): Joining | null {
  joining ??= isMainThread ? joiningProcess() : joiningThread();
  return joining;
}

function joiningThread(): Joining | null {
  if (typeof workerData !== 'object' || workerData === null) return null;
  const given = (workerData as { vryptServer?: JoiningThread }).vryptServer;
  if (given === undefined) return null;
  const { call, endpoints, place, control } = given;
  return {
    call,
    endpoints,
    place: threadPlace(place),
    isProcess: false,
    tell: (message) => control.postMessage(message),
    onMessage: (listener) => control.on('message', listener),
  };
}

function joiningProcess(): Joining | null {
  const text = process.env[JOINING_VARIABLE];
  if (text === undefined) return null;
  // Processes that this one starts do not join in.
  delete process.env[JOINING_VARIABLE];
  const parent = openParent<ToWorker, FromWorker>();
  if (parent === null) return null;
  const { call, endpoints, index, count, hasTls } = JSON.parse(text) as JoiningProcess;
  return {
    call,
    endpoints,
    place: {
      index,
      count,
      name: `${index} ${process.pid}`,
      counters: createCounters(1),
      slot: 0,
      openRelay: count > 1 ? (onNews) => openProcessRelay(parent, onNews) : null,
      tls: hasTls ? tlsOf(parent) : null,
    },
    isProcess: true,
    tell: (message) => parent.tell(message),
    onMessage: (listener) => parent.onMessage(listener),
  };
}

function tlsOf(parent: { onMessage(listener: (message: ToWorker) => void): void }): Promise<SharedTls> {
  return new Promise((resolve) => {
    parent.onMessage((message) => {
      if (message.type === 'tls') resolve(message.tls);
    });
  });
}

interface News {
  readonly type: 'news';
  readonly news: ChannelNews;
}

interface NewsChannel {
  tell(message: News): void;
  onMessage(listener: (message: { readonly type: string }) => void): void;
}

/** By way of the manager. */
export function openProcessRelay(parent: NewsChannel, onNews: (news: ChannelNews) => void): ThreadRelay {
  let isOpen = true;
  parent.onMessage((message) => {
    if (isOpen && message.type === 'news') onNews((message as News).news);
  });
  return {
    send: (news) => parent.tell({ type: 'news', news }),
    close: () => {
      isOpen = false;
    },
  };
}
