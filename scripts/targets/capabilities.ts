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
  /** `process._linkedBinding('vrypt')`. */
  readonly binding: boolean;
}

export function capabilitiesOf({ triple }: Target): Capabilities {
  const file = path.join(toolchain, 'runtimes', triple, 'BUILD.json');
  return capabilitiesFrom(JSON.parse(readFileSync(file, 'utf8')) as Build);
}

interface Build {
  /** Options of Node's configure. */
  readonly flags?: { readonly configure?: readonly string[] };
  /** What was tried with it. */
  readonly checks?: readonly string[];
}

export function capabilitiesFrom({ flags: { configure = [] } = {}, checks = [] }: Build): Capabilities {
  const lacks = (name: string): boolean =>
    configure.includes(`--without-${name}`) || configure.includes('--with-intl=none');
  return {
    icu: !lacks('intl'),
    sqlite: !configure.includes('--without-sqlite'),
    inspector: !configure.includes('--without-inspector'),
    quic: configure.includes('--experimental-quic'),
    // No option says it: the checks are of the file itself.
    binding: checks.includes('the linked binding runs'),
  };
}
