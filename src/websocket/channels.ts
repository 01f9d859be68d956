/**
 * Publish and subscribe. Owns the subscriptions of this worker's sockets, and the counts that other workers have announced. How
 * workers reach each other is not decided here (`ChannelRelay`).
 */
import { PublishedMessage } from './message.ts';

/** A socket, as channels see it. */
export interface Subscriber {
  /** Returns false if the message was dropped. */
  deliver(message: PublishedMessage, compress: boolean | undefined): boolean;
}

/** Messages between workers: structured clones, or JSON if bytes are encoded. */
export type ChannelNews =
  | {
      readonly kind: 'message';
      readonly topic: string;
      readonly data: string | Uint8Array;
      readonly compress: boolean | undefined;
    }
  /** The sender's current number of subscribers, for some topics. */
  | {
      readonly kind: 'counts';
      readonly from: string;
      readonly counts: readonly (readonly [topic: string, count: number])[];
    }
  /** A worker has started; the others answer with all of their counts. */
  | { readonly kind: 'hello'; readonly from: string }
  | { readonly kind: 'bye'; readonly from: string };

/** Reaches every other worker exactly once, in order. */
export interface ChannelRelay {
  send(news: ChannelNews): void;
}

export class Channels {
  readonly #topics = new Map<string, Set<Subscriber>>();
  readonly #name: string;
  /** Null if there is no other worker, and after close(). */
  #relay: ChannelRelay | null;
  /** By worker. */
  readonly #elsewhere = new Map<string, Map<string, number>>();
  /** Topics whose new count has not been announced yet. */
  #changed: Set<string> | null = null;

  /** `name` identifies this worker and no other. */
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

  /** Counts all workers; other workers' counts are as of their last announcement. */
  subscriberCount(topic: string): number {
    let count = this.#topics.get(topic)?.size ?? 0;
    for (const counts of this.#elsewhere.values()) count += counts.get(topic) ?? 0;
    return count;
  }

  /** Sends to all subscribers but `except`, in every worker. Returns the payload's bytes, or 0 if there was no subscriber. */
  publish(topic: string, data: string | Uint8Array, compress?: boolean, except: Subscriber | null = null): number {
    const message = new PublishedMessage(data);
    const isHeard = this.#deliver(topic, message, compress, except);
    let isHeardElsewhere = false;
    for (const counts of this.#elsewhere.values()) isHeardElsewhere ||= counts.has(topic);
    // Sent even without a known subscriber: its announcement may be on its way.
    this.#relay?.send({ kind: 'message', topic, data, compress });
    return isHeard || isHeardElsewhere ? message.length : 0;
  }

  /** Handles a message from another worker. */
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

  /** Announces counts once per turn of the event loop, however many change in it. */
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
