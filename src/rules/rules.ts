/** Rules for typed text: what is accepted, what it means, and the rule in words for a message. */

export interface Rule<Value> {
  /** Stands for the value in help, such as "duration". */
  readonly placeholder: string;
  /** Completes "--name must be …". */
  readonly requirement: string;
  /** undefined if the text breaks the rule. */
  readonly read: (text: string) => Value | undefined;
}

export function wholeNumber(min: number, max: number): Rule<number> {
  return {
    placeholder: 'number',
    requirement: `a whole number from ${min} to ${max}`,
    read: (text) => within(min, max, /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN),
  };
}

/** A rule that also accepts a word, which stands for a value of its own. */
export function orWord<Value, Word>(rule: Rule<Value>, word: string, meaning: Word): Rule<Value | Word> {
  return {
    placeholder: rule.placeholder,
    requirement: `${rule.requirement} or ${word}`,
    read: (text) => (text === word ? meaning : rule.read(text)),
  };
}

/** One of these words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Rule<Word> {
  return {
    placeholder: words.join('|'),
    requirement: words.join(' or '),
    read: (text) => words.find((word) => word === text),
  };
}

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DAY_MS = 86_400_000;
const SPAN_UNITS: Readonly<Record<string, number>> = { ...DURATION_UNITS, d: DAY_MS };

/** In milliseconds, at most a day. */
export function duration(minMs: number): Rule<number> {
  return {
    placeholder: 'duration',
    requirement: `a duration from ${minMs === 0 ? '0s' : `${minMs}ms`} to 24h with a unit (ms, s, m or h), such as 2500ms or 30s`,
    read: (text) => {
      const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
      return within(minMs, DAY_MS, Number(digits) * (DURATION_UNITS[unit] ?? Number.NaN));
    },
  };
}

/** In milliseconds; numbers without a unit are seconds, and days are a unit, as in configurations. */
export function span(minMs: number, maxMs: number): Rule<number> {
  return {
    placeholder: 'duration',
    requirement: `a number of seconds, or a duration with a unit (ms, s, m, h or d), from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`,
    read: (text) => {
      const [, digits, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)?$/.exec(text) ?? [];
      return within(minMs, maxMs, Math.round(Number(digits) * (SPAN_UNITS[unit] ?? Number.NaN)));
    },
  };
}

/** In the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const scale = DURATION_UNITS[unit] as number;
    if (ms >= scale && ms % scale === 0) return `${ms / scale}${unit}`;
  }
  return `${ms}ms`;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** In bytes. */
export function size(min: number, max: number): Rule<number> {
  return {
    placeholder: 'size',
    requirement: `a size from ${formatSize(min)} to ${formatSize(max)} in bytes or with a unit (B, KB, MB, GB, KiB, MiB or GiB), such as 8KiB`,
    read: (text) => {
      const [, digits, unit = ''] = /^(\d{1,15})([KMG]i?B|B|)$/.exec(text) ?? [];
      return within(min, max, Number(digits) * (SIZE_UNITS[unit] ?? Number.NaN));
    },
  };
}

/** In the largest unit that divides it. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const scale = SIZE_UNITS[unit] as number;
    if (bytes >= scale && bytes % scale === 0) return `${bytes / scale}${unit}`;
  }
  return `${bytes}B`;
}

/** Text that is not empty; a NUL byte would end it early in a system call. */
export function text(placeholder: string, requirement: string, maxBytes = Number.POSITIVE_INFINITY): Rule<string> {
  return {
    placeholder,
    requirement,
    read: (typed) =>
      typed !== '' && !typed.includes('\0') && Buffer.byteLength(typed) <= maxBytes ? typed : undefined,
  };
}

/** What a switch takes from the environment. */
export const SWITCH: Rule<boolean> = {
  placeholder: 'switch',
  requirement: '1, true, yes, 0, false or no',
  read: (typed) => {
    if (/^(1|true|yes)$/i.test(typed)) return true;
    return /^(0|false|no)$/i.test(typed) ? false : undefined;
  },
};

/** An IPv4 or IPv6 address or a name; brackets around an IPv6 address are taken off. */
export const HOST: Rule<string> = {
  placeholder: 'address',
  requirement: 'an IPv4 address, an IPv6 address or a host name',
  read: (typed) => {
    const bracketed = /^\[(.*)\]$/.exec(typed)?.[1];
    if (bracketed !== undefined) return isIPv6(bracketed) ? bracketed : undefined;
    return isIPv6(typed) || isIPv4(typed) || isHostName(typed) ? typed : undefined;
  },
};

export interface HostAndPort {
  /** An address without brackets, or a name. */
  readonly host: string;
  readonly port: number;
}

export const HOST_AND_PORT: Rule<HostAndPort> = {
  placeholder: 'host:port',
  requirement: 'host:port with a port from 1 to 65535, such as 127.0.0.1:8125 or [::1]:8125',
  read: (typed) => {
    const [, hostText = '', digits] = /^(\[.*\]|[^:[\]]*):(\d{1,5})$/.exec(typed) ?? [];
    const host = HOST.read(hostText);
    const port = within(1, 65_535, Number(digits));
    return host === undefined || port === undefined ? undefined : { host, port };
  },
};

export function isIPv4(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) && host.split('.').every((part) => String(Number(part) & 255) === part);
}

/** With or without a zone, such as "fe80::1%eth0". By the URL parser: `node:net` takes 3 ms to load. */
export function isIPv6(host: string): boolean {
  const [address = ''] = host.split('%', 1);
  const isZoneGood = address === host || /%[0-9A-Za-z._-]+$/.test(host);
  return (
    isZoneGood && /^[0-9A-Fa-f:.]+$/.test(address) && address.includes(':') && URL.canParse(`http://[${address}]/`)
  );
}

/** RFC 1123 §2.1, with "_" as many networks have it. A last label of digits makes it a broken address. */
export function isHostName(host: string): boolean {
  const labels = host.replace(/\.$/, '').split('.');
  const isLabel = (label: string) => /^[0-9A-Za-z_-]{1,63}$/.test(label);
  return host.length <= 254 && labels.every(isLabel) && !/^(\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
}

function within(min: number, max: number, value: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}
