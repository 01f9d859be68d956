/** Where an upstream is reached: its address, or those of its name, looked up again from time to time. */
import { isIP } from 'node:net';
import type { ConnectTarget } from '../engine/connector.ts';
import { type Found, lookUp } from '../engine/look-up.ts';
import type { UpstreamSettings } from './settings.ts';

/** How long addresses are used at most, and at least, whatever their time to live. */
const MAX_AGE_MS = 30_000;
const MIN_AGE_MS = 1000;
/** An address that does not work is tried last for this long. */
const FAILED_MS = 10_000;

export type LookUp = (name: string) => Promise<Found>;

export class Addresses {
  readonly #host: string;
  readonly #port: number;
  readonly #lookUp: LookUp;
  #targets: readonly ConnectTarget[] = [];
  #turn = 0;
  readonly #failedUntil = new WeakMap<ConnectTarget, number>();
  #expires = 0;
  #isLookingUp = false;
  /** Waiting for the first result. */
  #waiting: ((error: string | null) => void)[] = [];

  constructor({ host, port, unixPath }: UpstreamSettings, find: LookUp = lookUp) {
    this.#host = host;
    this.#port = port;
    this.#lookUp = find;
    if (unixPath !== null) this.#targets = [{ path: unixPath }];
    else if (isIP(host) !== 0) this.#targets = [{ address: host, port }];
    if (this.#targets.length > 0) this.#expires = Number.POSITIVE_INFINITY;
  }

  /** Calls back with null once there are targets, now or later, or with why there are none. Old ones are used while they are looked up again. */
  whenKnown(now: number, onKnown: (error: string | null) => void): void {
    if (now >= this.#expires) void this.#refresh(now);
    if (this.#targets.length > 0) onKnown(null);
    else this.#waiting.push(onKnown);
  }

  /** All targets, each time from the next one on; those that failed a moment ago come last. */
  inTurn(now: number): readonly ConnectTarget[] {
    const targets = this.#targets;
    if (targets.length < 2) return targets;
    const first = this.#turn++ % targets.length;
    const turned = [...targets.slice(first), ...targets.slice(0, first)];
    const hasFailed = (target: ConnectTarget) => now < (this.#failedUntil.get(target) ?? 0);
    return [...turned.filter((target) => !hasFailed(target)), ...turned.filter(hasFailed)];
  }

  hasFailed(target: ConnectTarget, now: number): void {
    if (this.#targets.length > 1) this.#failedUntil.set(target, now + FAILED_MS);
  }

  async #refresh(now: number): Promise<void> {
    if (this.#isLookingUp) return;
    this.#isLookingUp = true;
    let failure: string | null = null;
    try {
      const { addresses, ttlMs } = await this.#lookUp(this.#host);
      this.#take(addresses);
      this.#expires = now + Math.max(MIN_AGE_MS, Math.min(ttlMs ?? MAX_AGE_MS, MAX_AGE_MS));
    } catch (error) {
      // What is known is used on; a name server may be back soon.
      failure = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#expires = now + MIN_AGE_MS;
    }
    this.#isLookingUp = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const onKnown of waiting) onKnown(this.#targets.length > 0 ? null : failure);
  }

  #take(addresses: readonly string[]): void {
    const known = this.#targets.filter((target) => 'address' in target && addresses.includes(target.address));
    const isKnown = (address: string) => known.some((target) => 'address' in target && target.address === address);
    const found = addresses.filter((address) => !isKnown(address)).map((address) => ({ address, port: this.#port }));
    this.#targets = [...known, ...found];
  }
}
