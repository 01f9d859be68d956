/**
 * One worker after the other in the same place: when one dies, the next is started, with back-off. Knows neither threads nor
 * processes, only what both do: they listen, fail, or end, and are told things. Owns the worker.
 */

/** A worker that has been started. */
export interface Running {
  tell(message: unknown): void;
  kill(): void;
  ref(): void;
  unref(): void;
}

export interface RunningEvents {
  onMessage(message: unknown): void;
  /** `why` is null if the reason was reported already. */
  onExit(why: string | null): void;
}

/** What every worker says of itself; `ended`: it has drained, and may be killed. */
export type LifeSign =
  | { readonly type: 'listening' }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly message: string }
  | { readonly type: 'ended' };

export interface MendedOptions {
  /** Starts one. Throws, with the system's code, if it cannot. */
  run(events: RunningEvents): Running;
  /** What it says beyond signs of life. */
  onMessage(message: unknown): void;
  onListening?(): void;
  /** One has gone: its numbers are void. */
  onGone?(): void;
  /** Why it could not start if it has ended before it listened. */
  readonly neverListened?: string;
  /** Told why one has died or cannot start again. */
  report(error: unknown): void;
}

/** Before a worker that has died is started again; doubled each time … */
const FIRST_PAUSE_MS = 100;
/** … up to this … */
const LONGEST_PAUSE_MS = 5000;
/** … and starts over once one has lived this long. */
const HEALTHY_MS = 10_000;
/** What the kernel may take to end one that was killed. */
const KILLING_MS = 1000;

export class Mended {
  readonly #options: MendedOptions;
  #life: Life | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #restart: NodeJS.Timeout | null = null;
  #isEnding = false;
  #isReferenced = true;

  constructor(options: MendedOptions) {
    this.#options = options;
  }

  /** Resolves when it listens; rejects, with the error's code, if it cannot. Later deaths are mended. */
  async start(): Promise<void> {
    const life = this.#begin();
    this.#life = life;
    await life.listening;
  }

  /** Starts another one, and ends the old one when the new one listens. Rejects, and keeps the old one, if that cannot start. */
  async replace(endMessage: unknown, graceMs: number): Promise<void> {
    const old = this.#life;
    if (this.#isEnding || old === null) return;
    const life = this.#begin();
    await life.listening;
    if (this.#isEnding) return void life.kill();
    this.#life = life;
    await old.end(endMessage, graceMs);
  }

  tell(message: unknown): void {
    this.#life?.tell(message);
  }

  /** Says `endMessage` and waits for its end; after `graceMs` it is killed. */
  async end(endMessage: unknown, graceMs: number): Promise<void> {
    this.#isEnding = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    await this.#life?.end(endMessage, graceMs);
  }

  kill(): void {
    this.#isEnding = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#life?.kill();
  }

  ref(): void {
    this.#isReferenced = true;
    this.#life?.ref();
  }

  unref(): void {
    this.#isReferenced = false;
    this.#life?.unref();
  }

  #begin(): Life {
    const {
      run,
      onMessage,
      onListening,
      onGone,
      report,
      neverListened = 'it ended before it listened',
    } = this.#options;
    const life = new Life(run, {
      neverListened,
      onMessage,
      onListening: () => onListening?.(),
      onGone: (why) => {
        onGone?.();
        if (this.#life !== life) return;
        this.#life = null;
        if (!life.isListening || this.#isEnding) return;
        if (why !== null) report(why);
        if (process.uptime() * 1000 - life.startedAt > HEALTHY_MS) this.#pauseMs = FIRST_PAUSE_MS;
        this.#startLater();
      },
    });
    if (!this.#isReferenced) life.unref();
    return life;
  }

  #startLater(): void {
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.start().catch((error) => {
        if (this.#isEnding) return;
        this.#options.report(error);
        this.#startLater();
      });
    }, this.#pauseMs);
    if (!this.#isReferenced) this.#restart.unref();
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * this.#pauseMs);
  }
}

interface LifeEvents {
  readonly neverListened: string;
  onMessage(message: unknown): void;
  onListening(): void;
  onGone(why: string | null): void;
}

/** One worker from its start to its death. */
class Life {
  /** Milliseconds of the process' uptime. */
  readonly startedAt = process.uptime() * 1000;
  readonly listening: Promise<void>;
  isListening = false;
  readonly #running: Running | null;
  readonly #gone: Promise<void>;
  #isGone = false;

  constructor(run: (events: RunningEvents) => Running, events: LifeEvents) {
    const listening = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    this.listening = listening.promise;
    this.#gone = gone.promise;
    let running: Running | null = null;
    try {
      running = run({
        onMessage: (message) => {
          const sign = message as LifeSign;
          switch (sign.type) {
            case 'listening':
              this.isListening = true;
              events.onListening();
              listening.resolve();
              break;
            case 'failed':
              listening.reject(withCode(sign.message, sign.code));
              this.kill();
              break;
            case 'ended':
              this.kill();
              break;
            default:
              events.onMessage(message);
          }
        },
        onExit: (why) => {
          if (this.#isGone) return;
          this.#isGone = true;
          listening.reject(new Error(why === null ? events.neverListened : `${events.neverListened}: ${why}`));
          gone.resolve();
          events.onGone(why);
        },
      });
    } catch (error) {
      this.#isGone = true;
      listening.reject(error);
      gone.resolve();
    }
    this.#running = running;
  }

  tell(message: unknown): void {
    if (!this.#isGone) this.#running?.tell(message);
  }

  kill(): void {
    if (!this.#isGone) this.#running?.kill();
  }

  ref(): void {
    this.#running?.ref();
  }

  unref(): void {
    this.#running?.unref();
  }

  async end(message: unknown, graceMs: number): Promise<void> {
    if (this.isListening) {
      this.tell(message);
      await within(this.#gone, graceMs);
    }
    this.kill();
    await within(this.#gone, KILLING_MS);
  }
}

function withCode(message: string, code: string | undefined): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

/** Resolves when the promise does, or after `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
