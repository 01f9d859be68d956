/** What a runtime has, from the record of how it was built (`runtimes/<triple>/BUILD.json`). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { toolchain } from '../support/checkout.ts';
import type { Target } from './targets.ts';

export interface Capabilities {
  readonly icu: boolean;
  readonly sqlite: boolean;
  readonly inspector: boolean;
  readonly quic: boolean;
}

export function capabilitiesOf({ triple }: Target): Capabilities {
  const file = path.join(toolchain, 'runtimes', triple, 'BUILD.json');
  const { flags } = JSON.parse(readFileSync(file, 'utf8')) as { flags?: { configure?: readonly string[] } };
  return capabilitiesFrom(flags?.configure ?? []);
}

/** From the options of Node's configure. */
export function capabilitiesFrom(configure: readonly string[]): Capabilities {
  const lacks = (name: string): boolean =>
    configure.includes(`--without-${name}`) || configure.includes('--with-intl=none');
  return {
    icu: !lacks('intl'),
    sqlite: !configure.includes('--without-sqlite'),
    inspector: !configure.includes('--without-inspector'),
    quic: configure.includes('--experimental-quic'),
  };
}
