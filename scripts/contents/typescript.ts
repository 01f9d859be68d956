/**
 * The program's own TypeScript as JavaScript. Types are blanked out where that is enough (Node's own way), so that every line
 * and column stays; what has a meaning at run time, such as enums and decorators, is compiled, with a source map inside.
 */
import module from 'node:module';
import path from 'node:path';
import { transform } from 'esbuild';
import { Failure } from '../support/errors.ts';

export interface Compiled {
  readonly code: string;
  readonly hasSourceMap: boolean;
}

export async function toJavaScript(file: string, text: string, tsconfig: string): Promise<Compiled> {
  if (!/\.([mc]?ts|[jt]sx)$/.test(file)) return { code: text, hasSourceMap: false };
  if (!file.endsWith('x')) {
    const stripped = strip(text);
    if (stripped !== undefined) return { code: stripped, hasSourceMap: false };
  }
  const loader = file.endsWith('.tsx') ? 'tsx' : file.endsWith('.jsx') ? 'jsx' : 'ts';
  const options = {
    loader,
    sourcemap: 'inline',
    sourcefile: path.basename(file),
    target: 'node24',
    tsconfigRaw: tsconfig,
  } as const;
  try {
    const { code } = await transform(text, { ...options, logLevel: 'silent', sourcesContent: false });
    return { code, hasSourceMap: true };
  } catch (error) {
    const [first] = (error as { errors?: readonly { text: string; location: { line: number } | null }[] }).errors ?? [];
    if (first === undefined) throw error;
    throw new Failure(`${file}:${first.location?.line ?? 1}: ${first.text}`);
  }
}

/** undefined if blanking out does not do. */
function strip(text: string): string | undefined {
  const { emitWarning } = process;
  // It says that it is experimental; the result is checked by starting the program.
  process.emitWarning = () => undefined;
  try {
    return module.stripTypeScriptTypes(text, { mode: 'strip' });
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
