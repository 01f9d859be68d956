/**
 * The program's own TypeScript as JavaScript. Types are blanked out where that is enough (Node's own way), so that every line
 * and column stays; what has a meaning at run time, such as enums and decorators, is compiled, with a source map inside.
 */
import { existsSync, readFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { type ExportNamedDeclaration, type Identifier, type Program, parse } from 'acorn';
import { full } from 'acorn-walk';
import { type BuildOptions, build as esbuild } from 'esbuild';
import { Failure } from '../support/errors.ts';

export interface Compiled {
  readonly code: string;
  readonly hasSourceMap: boolean;
}

export function isTyped(file: string): boolean {
  return /\.([mc]?ts|[jt]sx)$/.test(file);
}

/** `file` is below `folder`; the nearest tsconfig.json says what its decorators and its JSX mean. */
export async function toJavaScript(folder: string, file: string): Promise<Compiled> {
  const text = readFileSync(path.join(folder, file), 'utf8');
  if (!isTyped(file)) return { code: text, hasSourceMap: false };
  const stripped = file.endsWith('x') ? undefined : strip(text);
  return stripped === undefined ? await compile(folder, file, text) : { code: stripped, hasSourceMap: false };
}

async function compile(folder: string, file: string, text: string): Promise<Compiled> {
  const withTypes = compileWithTypes(folder, file, text);
  if (withTypes !== undefined) return withTypes;
  const options = {
    absWorkingDir: folder,
    entryPoints: [file],
    // In the map, the source lies beside its result.
    outdir: path.dirname(file),
    bundle: false,
    write: false,
    // With the source in it, which Node shows at the place of an error.
    sourcemap: 'inline',
    target: 'node24',
    logLevel: 'silent',
  } as const satisfies BuildOptions;
  try {
    const { outputFiles } = await esbuild(options);
    return { code: outputFiles[0]?.text ?? '', hasSourceMap: true };
  } catch (error) {
    const [first] = (error as { errors?: readonly { text: string; location: { line: number } | null }[] }).errors ?? [];
    if (first === undefined) throw error;
    throw new Failure(`${file}:${first.location?.line ?? 1}: ${first.text}`);
  }
}

/** The part of TypeScript's API that is used; TypeScript 7 has none yet. */
interface TypeScript {
  readonly sys: object;
  readonly ModuleKind: { readonly ESNext: number };
  readonly ScriptTarget: { readonly ES2022: number };
  readConfigFile(file: string, read: (file: string) => string): { config?: object };
  parseJsonConfigFileContent(config: object, host: object, folder: string): { options: CompilerOptions };
  transpileModule(text: string, options: { fileName: string; compilerOptions: object }): { outputText: string };
}

interface CompilerOptions {
  readonly emitDecoratorMetadata?: boolean;
  readonly target?: number;
}

/**
 * Where the project wants the types of what is decorated at run time (`emitDecoratorMetadata`, as NestJS and TypeORM do), its own
 * TypeScript writes them: esbuild knows none. undefined: it wants nothing like that.
 */
function compileWithTypes(folder: string, file: string, text: string): Compiled | undefined {
  if (!/^\s*@\w/m.test(text)) return undefined;
  const from = path.join(folder, file);
  const ts = ownTypeScript(from);
  const config = nearestConfig(path.dirname(from));
  if (config === undefined) return undefined;
  if (ts === undefined) {
    if (!/"emitDecoratorMetadata"\s*:\s*true/.test(readFileSync(config, 'utf8'))) return undefined;
    throw new Failure(
      `${file}: ${path.relative(folder, config)} says emitDecoratorMetadata, which the project's own TypeScript must write: npm i -D typescript@5`,
    );
  }
  const read = (name: string): string => readFileSync(name, 'utf8');
  const { config: raw = {} } = ts.readConfigFile(config, read);
  const { options } = ts.parseJsonConfigFileContent(raw, ts.sys, path.dirname(config));
  if (options.emitDecoratorMetadata !== true) return undefined;
  const compilerOptions = {
    ...options,
    module: ts.ModuleKind.ESNext,
    target: options.target ?? ts.ScriptTarget.ES2022,
    inlineSourceMap: true,
    inlineSources: true,
    sourceMap: false,
  };
  const { outputText } = ts.transpileModule(text, { fileName: path.basename(file), compilerOptions });
  return { code: outputText, hasSourceMap: true };
}

function ownTypeScript(from: string): TypeScript | undefined {
  try {
    const found = module.createRequire(from)('typescript') as Partial<TypeScript>;
    return found.transpileModule === undefined ? undefined : (found as TypeScript);
  } catch {
    return undefined;
  }
}

function nearestConfig(folder: string): string | undefined {
  for (let at = folder; ; at = path.dirname(at)) {
    const file = path.join(at, 'tsconfig.json');
    if (existsSync(file)) return file;
    if (at === path.dirname(at)) return undefined;
  }
}

/** undefined if blanking out does not do. */
function strip(text: string): string | undefined {
  const { emitWarning } = process;
  // It says that it is experimental; the result is checked by starting the program.
  process.emitWarning = () => undefined;
  try {
    const code = module.stripTypeScriptTypes(text, { mode: 'strip' });
    return isWholeJavaScript(code) ? code : undefined;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Blanking out leaves decorators, which no engine runs yet, and imports without the word `type` of what was only a type,
 * which no module exports any more.
 */
function isWholeJavaScript(code: string): boolean {
  if (!/@|\bimport\b/.test(code)) return true;
  let tree: Program;
  try {
    tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch {
    return false;
  }
  const imported = tree.body.flatMap((node) =>
    node.type === 'ImportDeclaration' ? node.specifiers.map(({ local }) => local.name) : [],
  );
  if (imported.length === 0) return true;
  const used = new Set<string>();
  full(tree, (node) => {
    if (node.type === 'Identifier') used.add((node as Identifier).name);
    if (node.type !== 'ExportNamedDeclaration') return;
    for (const { local } of (node as ExportNamedDeclaration).specifiers)
      if (local.type === 'Identifier') used.add(local.name);
  });
  return imported.every((name) => used.has(name));
}
