/** What an ELF file lets the kernel and the loader protect. Pure. */
import { DT, dynamicValue, type Elf, PT } from './elf.ts';

export interface Hardening {
  /** Where the kernel puts it: always at one address, or (PIE) anywhere. */
  readonly address: 'fixed' | 'random';
  /** Relocated data becomes read-only: none, all but the table of lazily bound functions, or all of it. */
  readonly relro: 'none' | 'partial' | 'full';
  /** When functions of libraries are found; null: there are no libraries. */
  readonly binding: 'at start' | 'lazy' | null;
  readonly stack: 'executable' | 'not executable';
  /** Whether any memory is mapped both writable and executable. */
  readonly writableCode: boolean;
}

export function hardeningOf(elf: Elf): Hardening {
  const flags = dynamicValue(elf.dynamic, DT.FLAGS) ?? 0;
  const flags1 = dynamicValue(elf.dynamic, DT.FLAGS_1) ?? 0;
  const isNow =
    (flags & DF.BIND_NOW) !== 0 || (flags1 & DF_1.NOW) !== 0 || dynamicValue(elf.dynamic, DT.BIND_NOW) !== undefined;
  const hasRelro = elf.segments.some(({ type }) => type === PT.GNU_RELRO);
  const isStatic = elf.interpreter === null && elf.dynamic.length === 0;
  return {
    address: elf.type === ET.DYN ? 'random' : 'fixed',
    relro: hasRelro ? (isNow || isStatic ? 'full' : 'partial') : 'none',
    binding: isStatic ? null : isNow ? 'at start' : 'lazy',
    stack: elf.writableCode.includes('the stack') ? 'executable' : 'not executable',
    writableCode: elf.writableCode.some((part) => part !== 'the stack'),
  };
}

export function hardeningInWords({ address, relro, binding, stack, writableCode }: Hardening): string {
  return [
    `${address} address`,
    relro === 'none' ? 'no RELRO' : `${relro} RELRO`,
    ...(binding === null ? [] : [`bound ${binding}`]),
    `stack ${stack}`,
    writableCode ? 'writable code' : 'no writable code',
  ].join(', ');
}

export const ET: Readonly<Record<'REL' | 'EXEC' | 'DYN' | 'CORE', number>> = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 };

const DF = { BIND_NOW: 8 } as const;
const DF_1 = { NOW: 1 } as const;
