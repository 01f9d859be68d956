/** Which upstream gets a request. */
import type { Upstream } from './upstream.ts';

export interface Balancer {
  /** One of `candidates`, of which there are at least two. `key` is the client's address. */
  pick(candidates: readonly Upstream[], key: () => string): Upstream;
}

export type BalancerName = 'round_robin' | 'least_conn' | 'ip_hash' | 'random_two';

export function makeBalancer(name: BalancerName, random: () => number = Math.random): Balancer {
  switch (name) {
    case 'round_robin':
      return { pick: roundRobin };
    case 'least_conn':
      return { pick: leastBusy };
    case 'ip_hash':
      return { pick: (candidates, key) => byHash(candidates, key()) };
    case 'random_two':
      return { pick: (candidates) => betterOfTwo(candidates, random) };
  }
}

/** Smooth weighted round robin, as nginx has it: 5, 1, 1 gives a a b a c a a. */
function roundRobin(candidates: readonly Upstream[]): Upstream {
  let best = candidates[0] as Upstream;
  let total = 0;
  for (const one of candidates) {
    const weight = weightOf(one);
    total += weight;
    one.current += weight;
    if (one.current > best.current) best = one;
  }
  best.current -= total;
  return best;
}

/** Of equally busy ones, in turn. */
function leastBusy(candidates: readonly Upstream[]): Upstream {
  let least = Number.POSITIVE_INFINITY;
  for (const one of candidates) least = Math.min(least, loadOf(one));
  return roundRobin(candidates.filter((one) => loadOf(one) === least));
}

/**
 * Rendezvous hashing by weight (Thaler and Ravishankar; Schindelhauer and Schomaker): a client stays where it is unless its upstream
 * goes.
 */
function byHash(candidates: readonly Upstream[], key: string): Upstream {
  let best = candidates[0] as Upstream;
  let highest = Number.NEGATIVE_INFINITY;
  for (const one of candidates) {
    // From 0 to 1, neither included.
    const unit = (hashOf(`${one.own.url} ${key}`) + 0.5) / 2 ** 32;
    const score = -weightOf(one) / Math.log(unit);
    if (score <= highest) continue;
    highest = score;
    best = one;
  }
  return best;
}

/** Two at random, by weight; the less busy one of them. */
function betterOfTwo(candidates: readonly Upstream[], random: () => number): Upstream {
  const first = atRandom(candidates, random);
  const second = atRandom(
    candidates.filter((one) => one !== first),
    random,
  );
  return loadOf(second) < loadOf(first) ? second : first;
}

function atRandom(candidates: readonly Upstream[], random: () => number): Upstream {
  let total = 0;
  for (const one of candidates) total += weightOf(one);
  let at = random() * total;
  for (const one of candidates) {
    at -= weightOf(one);
    if (at < 0) return one;
  }
  return candidates.at(-1) as Upstream;
}

/** One that drains is a candidate only if there is no other. */
function weightOf({ own }: Upstream): number {
  return Math.max(own.weight, 1);
}

function loadOf(one: Upstream): number {
  return one.active / weightOf(one);
}

/** FNV-1a, mixed at the end (murmur3's finalizer), because similar addresses must differ. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
