/** Typed text → values, for options: numbers, durations, sizes. Each reader throws a `UsageError` that names the thing, the rule and the text. */

/** What a person typed is wrong; the message says what, and exit code 2 follows. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw wrong(name, `a whole number from ${min} to ${max}`, text);
  return value;
}

/** In milliseconds; from 1 ms to 24 h. */
export function duration(name: string, text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (DURATION_UNITS[match[2] as string] as number);
  if (!(value >= 1 && value <= 86_400_000))
    throw wrong(name, 'a duration from 1ms to 24h, such as 2500ms, 30s or 5m', text);
  return value;
}

/** In octets. */
export function size(name: string, text: string, min: number, max: number): number {
  const match = /^(\d{1,15})(B|KiB|MiB|GiB|)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * (SIZE_UNITS[match[2] as string] as number);
  if (!(value >= min && value <= max)) {
    throw wrong(name, `a size from ${formatSize(min)} to ${formatSize(max)}, such as 8KiB`, text);
  }
  return value;
}

/** "host:port", an IPv6 address in brackets. */
export function hostAndPort(name: string, text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535)
    throw wrong(name, 'host:port, such as 127.0.0.1:8125 or [::1]:8125', text);
  return { host: (match[1] ?? match[2]) as string, port };
}

export function wrong(name: string, rule: string, text: string): UsageError {
  return new UsageError(`${name} wants ${rule}, got ${JSON.stringify(text)}`);
}

/** In the largest unit that divides it. */
export function formatSize(octets: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const scale = SIZE_UNITS[unit] as number;
    if (octets >= scale && octets % scale === 0) return `${octets / scale}${unit}`;
  }
  return `${octets}B`;
}
