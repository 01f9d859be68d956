/** The upstreams of a proxy: which one a request goes to, by health, by cookie and by strategy. */
import type { Call } from '../engine/call.ts';
import { type Balancer, hashOf, makeBalancer } from './balancer.ts';
import type { ProxySettings } from './settings.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamClock } from './upstream-clock.ts';

export class UpstreamGroup {
  readonly all: readonly Upstream[];
  /** After `choose`: the field that makes the client come back, '' if it need not be said. */
  stickyField = '';
  readonly #settings: ProxySettings;
  readonly #balancer: Balancer;
  readonly #clock: UpstreamClock;
  /** Address of the client of a call. */
  readonly #clientOf: (call: Call) => string;

  constructor(
    all: readonly Upstream[],
    settings: ProxySettings,
    clock: UpstreamClock,
    clientOf: (call: Call) => string,
  ) {
    this.all = all;
    this.#settings = settings;
    this.#balancer = makeBalancer(settings.strategy);
    this.#clock = clock;
    this.#clientOf = clientOf;
  }

  /** One that can take the request, if possible another than `failed`; null: checks say that none is healthy. */
  choose(call: Call, failed: Upstream | null): Upstream | null {
    this.stickyField = '';
    this.#clock.wake();
    const { all } = this;
    const only = all[0] as Upstream;
    if (all.length === 1) return only.health.isCheckedDown ? null : only;
    const { sticky } = this.#settings;
    if (sticky !== null) {
      const kept = this.#keptBy(call, sticky.cookie);
      if (kept !== null && kept !== failed) return kept;
    }
    const chosen = this.#spread(call, failed);
    if (sticky !== null && chosen !== null) {
      const age = sticky.maxAgeS === 0 ? '' : `; Max-Age=${sticky.maxAgeS}`;
      const secure = sticky.isSecure ? '; Secure' : '';
      this.stickyField = `Set-Cookie: ${sticky.cookie}=${idOf(chosen)}; Path=/; HttpOnly; SameSite=Lax${age}${secure}\r\n`;
    }
    return chosen;
  }

  #spread(call: Call, failed: Upstream | null): Upstream | null {
    const candidates = this.#candidates(failed);
    if (candidates.length < 2) return candidates[0] ?? null;
    return this.#balancer.pick(candidates, () => this.#clientOf(call));
  }

  /** The best that there are: healthy, without those that drain; backups only instead of nothing; those that failed instead of that. */
  #candidates(failed: Upstream | null): readonly Upstream[] {
    const { now } = this.#clock;
    const alive = this.all.filter((one) => !one.health.isCheckedDown);
    const others = alive.filter((one) => one !== failed);
    const wanted = others.filter((one) => !one.isDraining && !one.health.isOut(now));
    for (const tier of [wanted.filter(isPrimary), wanted, others.filter((one) => !one.isDraining), others, alive]) {
      if (tier.length === 0) continue;
      const free = tier.filter((one) => !one.isFull);
      return free.length > 0 ? free : tier;
    }
    return [];
  }

  /** That of the client's cookie, if it can still take requests; draining ones keep their clients. */
  #keptBy(call: Call, name: string): Upstream | null {
    const cookies = call.header('cookie');
    if (cookies === null) return null;
    const at = `; ${cookies}`.indexOf(`; ${name}=`);
    if (at < 0) return null;
    const id = cookies.slice(at + name.length + 1).split(';', 1)[0];
    const kept = this.all.find((one) => idOf(one) === id);
    return kept !== undefined && !kept.health.isCheckedDown && !kept.health.isOut(this.#clock.now) ? kept : null;
  }
}

function isPrimary({ own }: Upstream): boolean {
  return !own.isBackup;
}

/** Does not tell the client where the upstream is. */
function idOf({ own }: Upstream): string {
  return hashOf(own.url).toString(36);
}
