/**
 * TypeScript's declarations without what no export leads to. Reads the compiler's own layout: what is at the top starts in the first
 * column.
 */
import path from 'node:path';

interface Statement {
  /** With the comment before it. */
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  /** Of an import: what it brings, by local name, and from which file. */
  readonly imported: { readonly names: ReadonlyMap<string, string>; readonly file: string } | null;
  /** null: an import, or nothing that has a name. */
  readonly declares: string | null;
}

const START = /^(?:\/\*\*|export |import |declare |abstract |interface |type |const |class )/;
const DECLARES =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|let|function|enum|namespace) ([\w$]+)/m;

/** By name, `<name>.d.ts`; they name each other `./<name>.js`. What `index.d.ts` exports is needed. */
export function neededDeclarations(texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const files = new Map([...texts].map(([name, text]) => [name, statementsOf(name, text)]));
  const needed = neededFrom(files);
  const kept = [...files].map(([name, statements]) => {
    if (name !== 'index.d.ts') return [name, textOf(statements, needed)] as const;
    // A module that is only run has nothing to declare.
    const named = statements.filter(({ code }) => !/^import '/.test(code));
    return [name, named.map(({ text }) => text).join('')] as const;
  });
  return new Map(kept.filter(([, text]) => text !== ''));
}

function statementsOf(file: string, text: string): Statement[] {
  const pieces: string[] = [];
  let isInComment = false;
  for (const line of text.split(/^/m)) {
    const last = pieces.at(-1);
    const follows = last !== undefined && (isInComment || isUnfinished(last));
    if (START.test(line) && !follows) pieces.push(line);
    else if (last !== undefined) pieces[pieces.length - 1] = last + line;
    if (line.startsWith('/**')) isInComment = true;
    if (isInComment && line.includes('*/')) isInComment = false;
  }
  return pieces.map((piece) => {
    const code = withoutComments(piece);
    const [, declares = null] = DECLARES.exec(code) ?? [];
    return { text: piece, code, imported: importedBy(file, code), declares };
  });
}

/** A comment goes with what follows it, and the variants of a type may have comments of their own. */
function isUnfinished(piece: string): boolean {
  const text = withoutComments(piece);
  if (text === '') return true;
  return /^(?:export )?(?:declare )?type /.test(text) && !/^(?! {4}).*;$/m.test(text);
}

function importedBy(file: string, text: string): Statement['imported'] {
  const [, list, from] = /^(?:import|export)(?: type)? \{([^}]*)\} from '(\.[^']*)\.js'/.exec(text) ?? [];
  if (list === undefined) return null;
  const names = list
    .split(',')
    .map((one) => one.trim().replace(/^type /, ''))
    .filter((one) => one !== '')
    .map((one) => one.split(' as '))
    .map(([name = '', local = name]) => [local, name] as const);
  return { names: new Map(names), file: path.join(path.dirname(file), `${from}.d.ts`) };
}

/** Every statement that the exports of `index.d.ts` lead to. A word that is only spelled like a name keeps it too. */
function neededFrom(files: ReadonlyMap<string, readonly Statement[]>): ReadonlySet<Statement> {
  const needed = new Set<Statement>();
  const waiting = (files.get('index.d.ts') ?? []).flatMap(({ imported }) => namesOf(imported));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, name } = next;
    for (const statement of files.get(file) ?? []) {
      if (needed.has(statement)) continue;
      if (statement.imported?.names.has(name)) {
        waiting.push({ file: statement.imported.file, name: statement.imported.names.get(name) ?? name });
      } else if (statement.declares === name) {
        needed.add(statement);
        const { code } = statement;
        for (const [word] of code.matchAll(/[A-Za-z_$][\w$]*/g)) waiting.push({ file, name: word });
        for (const [, from, of = ''] of code.matchAll(/import\('(\.[^']*)\.js'\)\.([\w$]+)/g))
          waiting.push({ file: path.join(path.dirname(file), `${from}.d.ts`), name: of });
      }
    }
  }
  return needed;
}

function namesOf(imported: Statement['imported']): { file: string; name: string }[] {
  return imported === null ? [] : [...imported.names.values()].map((name) => ({ file: imported.file, name }));
}

function textOf(statements: readonly Statement[], needed: ReadonlySet<Statement>): string {
  const kept = statements.filter((one) => needed.has(one));
  const words = new Set(
    kept
      .map(({ code }) => code)
      .join('\n')
      .match(/[A-Za-z_$][\w$]*/g),
  );
  const imports = statements
    .filter(({ code }) => code.startsWith('import '))
    .flatMap(({ code }) => {
      const [, before, list, after] = /^(import(?: type)?) \{([^}]*)\}( from [\s\S]*)$/.exec(code) ?? [];
      if (list === undefined) return [code];
      const used = list.split(',').filter((one) => words.has(one.trim().split(' ').at(-1) ?? ''));
      return used.length === 0 ? [] : [`${before} { ${used.map((one) => one.trim()).join(', ')} }${after}`];
    });
  return kept.length === 0 ? '' : [...imports, ...kept.map(({ text }) => text)].join('');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').trimStart();
}
