/**
 * Publish and subscribe. Owns who of this worker's sockets listens to which topic, and what other workers have said about
 * theirs; how workers reach each other is given (`ChannelRelay`).
 */
import { PublishedMessage } from './message.ts';

/** A socket, as channels see it. */
export interface Subscriber {
  /** Returns false where the message was dropped. */
  deliver(message: PublishedMessage, compress: boolean | undefined): boolean;
}

/** What workers tell each other. It survives a structured clone and, but for the bytes, JSON. */
export type ChannelNews =
  | {
      readonly kind: 'message';
      readonly topic: string;
      readonly data: string | Uint8Array;
      readonly compress: boolean | undefined;
    }
  /** The sender's subscribers of some topics, as they are now. */
  | {
      readonly kind: 'counts';
      readonly from: string;
      readonly counts: readonly (readonly [topic: string, count: number])[];
    }
  /** A worker begins: the others tell it all of their counts. */
  | { readonly kind: 'hello'; readonly from: string }
  | { readonly kind: 'bye'; readonly from: string };

/** Tells all other workers, and none twice. */
export interface ChannelRelay {
  send(news: ChannelNews): void;
}

export class Channels {
  readonly #topics = new Map<string, Set<Subscriber>>();
  readonly #name: string;
  /** Null where there is no other worker, or this one has said goodbye. */
  #relay: ChannelRelay | null;
  /** By worker. */
  readonly #elsewhere = new Map<string, Map<string, number>>();
  /** Topics whose count the others do not know yet. */
  #changed: Set<string> | null = null;

  /** `name` is this worker's, unlike every other's. */
  constructor(name: string, relay: ChannelRelay | null) {
    this.#name = name;
    this.#relay = relay;
    relay?.send({ kind: 'hello', from: name });
  }

  subscribe(subscriber: Subscriber, topic: string): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers === undefined) this.#topics.set(topic, new Set([subscriber]));
    else subscribers.add(subscriber);
    this.#change(topic);
  }

  unsubscribe(subscriber: Subscriber, topic: string): void {
    const subscribers = this.#topics.get(topic);
    if (subscribers?.delete(subscriber) !== true) return;
    if (subscribers.size === 0) this.#topics.delete(topic);
    this.#change(topic);
  }

  /** In all workers. Those elsewhere are counted as they were a moment ago. */
  subscriberCount(topic: string): number {
    let count = this.#topics.get(topic)?.size ?? 0;
    for (const counts of this.#elsewhere.values()) count += counts.get(topic) ?? 0;
    return count;
  }

  /** To all subscribers but `except`, in every worker. Returns the payload's bytes, 0 where nobody was there to get it. */
  publish(topic: string, data: string | Uint8Array, compress?: boolean, except: Subscriber | null = null): number {
    const message = new PublishedMessage(data);
    const isHeard = this.#deliver(topic, message, compress, except);
    let isHeardElsewhere = false;
    for (const counts of this.#elsewhere.values()) isHeardElsewhere ||= counts.has(topic);
    // Sent whether or not a count is known: a subscription may be under way.
    this.#relay?.send({ kind: 'message', topic, data, compress });
    return isHeard || isHeardElsewhere ? message.length : 0;
  }

  /** Takes what another worker has sent. */
  receive(news: ChannelNews): void {
    switch (news.kind) {
      case 'message':
        this.#deliver(news.topic, new PublishedMessage(news.data), news.compress, null);
        return;
      case 'counts':
        this.#learn(news.from, news.counts);
        return;
      case 'hello':
        this.#tell([...this.#topics.keys()]);
        return;
      case 'bye':
        this.#elsewhere.delete(news.from);
        return;
      default:
        news satisfies never;
    }
  }

  /** The others forget this worker. */
  close(): void {
    this.#relay?.send({ kind: 'bye', from: this.#name });
    this.#relay = null;
  }

  #deliver(
    topic: string,
    message: PublishedMessage,
    compress: boolean | undefined,
    except: Subscriber | null,
  ): boolean {
    const subscribers = this.#topics.get(topic);
    if (subscribers === undefined) return false;
    let isDelivered = false;
    for (const subscriber of subscribers) {
      if (subscriber !== except && subscriber.deliver(message, compress)) isDelivered = true;
    }
    return isDelivered;
  }

  #learn(worker: string, counts: readonly (readonly [string, number])[]): void {
    const known = this.#elsewhere.get(worker) ?? new Map<string, number>();
    this.#elsewhere.set(worker, known);
    for (const [topic, count] of counts) {
      if (count === 0) known.delete(topic);
      else known.set(topic, count);
    }
  }

  /** Counts are told once per turn of the event loop, however many change in it. */
  #change(topic: string): void {
    if (this.#relay === null) return;
    if (this.#changed === null) {
      this.#changed = new Set();
      setImmediate(() => {
        const changed = this.#changed ?? new Set();
        this.#changed = null;
        this.#tell([...changed]);
      });
    }
    this.#changed.add(topic);
  }

  #tell(topics: readonly string[]): void {
    if (topics.length === 0) return;
    const counts = topics.map((topic) => [topic, this.#topics.get(topic)?.size ?? 0] as const);
    this.#relay?.send({ kind: 'counts', from: this.#name, counts });
  }
}
