/** Server-sent events: an answer that goes on for as long as client, server and source want. */
import type { Call } from '../engine/call.ts';
import { type Sink, type StreamReply, stream } from '../engine/stream-reply.ts';
import { type EventOptions, eventText, HEARTBEAT } from './event-text.ts';

export interface EventSink {
  /**
   * Sends an event; data of several lines arrive as they are. Returns a promise if the client is slow: wait for it before sending
   * more. It rejects once the client is gone.
   */
  send(data: string, options?: EventOptions): void | Promise<void>;
  /** The id of the last event that the client has got, if it reconnects; otherwise null. */
  readonly lastEventId: string | null;
  /** Aborts when the client goes or a drain begins. */
  readonly signal: AbortSignal;
  /** Resolves at the same moment: what a source waits for that only hands its sink to others. */
  readonly closed: Promise<void>;
}

export interface EventsOptions {
  /** Silence after which a comment is sent, so that proxies keep the connection and dead clients are noticed; 0: none. Default 15 s. */
  readonly heartbeatMs?: number;
}

const FIELDS = [
  ['Content-Type', 'text/event-stream'],
  // An event that a cache, or nginx, holds back is none.
  ['Cache-Control', 'no-cache, no-transform'],
  ['X-Accel-Buffering', 'no'],
] as const;
const DEFAULT_HEARTBEAT_MS = 15_000;

/**
 * Answers with events. The answer ends when `source` is done; when a drain begins, so that clients reconnect to another server;
 * and when the client goes.
 */
export function events(
  call: Call,
  source: (out: EventSink) => void | Promise<void>,
  { heartbeatMs = DEFAULT_HEARTBEAT_MS }: EventsOptions = {},
): StreamReply {
  if (!(heartbeatMs >= 0)) throw new RangeError(`heartbeatMs must be a number of milliseconds, got ${heartbeatMs}`);
  const lastEventId = call.header('last-event-id');
  return stream(200, FIELDS, (out) => new Events(call, out, lastEventId, heartbeatMs).run(source));
}

class Events implements EventSink {
  readonly lastEventId: string | null;
  readonly #call: Call;
  readonly #out: Sink;
  readonly #heartbeatMs: number;
  readonly #controller = new AbortController();
  readonly #closed = Promise.withResolvers<void>();
  #hasSent = true;
  /** Waits for the kernel. */
  #isBlocked = false;

  constructor(call: Call, out: Sink, lastEventId: string | null, heartbeatMs: number) {
    this.#call = call;
    this.#out = out;
    this.lastEventId = lastEventId;
    this.#heartbeatMs = heartbeatMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  send(data: string, options?: EventOptions): void | Promise<void> {
    const text = eventText(data, options);
    if (this.#controller.signal.aborted) return refused();
    return this.#write(text);
  }

  async run(source: (out: EventSink) => void | Promise<void>): Promise<void> {
    const clientSignal = this.#out.signal;
    const onAbort = () => this.#close();
    if (clientSignal.aborted) onAbort();
    else clientSignal.addEventListener('abort', onAbort, { once: true });
    const stopDraining = this.#call.whenDraining(onAbort);
    const stopTicking = this.#heartbeatMs > 0 ? this.#call.everyTick(this.#beat()) : () => {};
    try {
      await Promise.race([source(this), this.#closed.promise]);
    } catch (error) {
      // What fails because the client has gone, or has to, is not the source's fault.
      if (!this.#controller.signal.aborted) throw error;
    } finally {
      stopDraining();
      stopTicking();
      clientSignal.removeEventListener('abort', onAbort);
      this.#close();
    }
  }

  #write(text: string): void | Promise<void> {
    this.#hasSent = true;
    const taken = this.#out.write(text);
    if (taken === true) return undefined;
    this.#isBlocked = true;
    const onTaken = () => {
      this.#isBlocked = false;
    };
    taken.then(onTaken, onTaken);
    return taken;
  }

  /** Called at every tick: a comment after each interval without an event. */
  #beat(): (now: number) => void {
    let due = Number.NaN;
    return (now) => {
      if (this.#hasSent) {
        this.#hasSent = false;
        due = now + this.#heartbeatMs;
      } else if (now >= due && !this.#isBlocked) {
        void this.#write(HEARTBEAT);
      }
    };
  }

  #close(): void {
    this.#controller.abort(new Error('the events have ended'));
    this.#closed.resolve();
  }
}

function refused(): Promise<void> {
  const rejected = Promise.reject(new Error('the events have ended'));
  // Nobody may be waiting.
  rejected.catch(() => {});
  return rejected;
}
