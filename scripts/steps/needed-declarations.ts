/**
 * What of the declarations that the compiler writes a package's types need: statements that no export leads to are left out, and so are
 * files without any. Reads the compiler's own layout: what is at the top starts in the first column.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

interface Statement {
  /** With the comment before it. */
  readonly text: string;
  /** Of an import: what it brings, by local name, and from which file. */
  readonly imported: { readonly names: ReadonlyMap<string, string>; readonly file: string } | null;
  /** null: an import, or nothing that has a name. */
  readonly declares: string | null;
}

const START = /^(?:\/\*\*|export |import |declare |abstract |interface |type |const |class )/;
const DECLARES =
  /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|type|const|let|function|enum|namespace) ([\w$]+)/m;

/** Files are named `<name>.d.ts` and name each other `./<name>.js`; `index.d.ts` in the folder stays as it is. */
export async function keepNeeded(types: string): Promise<void> {
  const files = new Map<string, readonly Statement[]>();
  for (const name of await readdir(types, { recursive: true })) {
    if (name.endsWith('.d.ts')) files.set(name, statementsOf(name, await readFile(path.join(types, name), 'utf8')));
  }
  const needed = neededFrom(files);
  await rm(types, { recursive: true });
  for (const [name, statements] of files) {
    const text = name === 'index.d.ts' ? statements.map((one) => one.text).join('') : textOf(statements, needed);
    if (text === '') continue;
    await mkdir(path.dirname(path.join(types, name)), { recursive: true });
    await writeFile(path.join(types, name), text);
  }
}

function statementsOf(file: string, text: string): Statement[] {
  const pieces: string[] = [];
  let isInComment = false;
  for (const line of text.split(/^/m)) {
    const last = pieces.at(-1);
    // A comment goes with what follows it.
    const follows = last !== undefined && (isInComment || /^\/\*\*(?:[^*]|\*(?!\/))*\*\/\n$/.test(last));
    if (START.test(line) && !follows) pieces.push(line);
    else if (last !== undefined) pieces[pieces.length - 1] = last + line;
    if (line.startsWith('/**')) isInComment = true;
    if (isInComment && line.includes('*/')) isInComment = false;
  }
  return pieces.map((piece) => {
    const [, declares = null] = DECLARES.exec(withoutComments(piece)) ?? [];
    return { text: piece, imported: importedBy(file, withoutComments(piece)), declares };
  });
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
        const text = withoutComments(statement.text);
        for (const [word] of text.matchAll(/[A-Za-z_$][\w$]*/g)) waiting.push({ file, name: word });
        for (const [, from, of = ''] of text.matchAll(/import\('(\.[^']*)\.js'\)\.([\w$]+)/g))
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
  const words = new Set(withoutComments(kept.map(({ text }) => text).join('')).match(/[A-Za-z_$][\w$]*/g));
  const imports = statements
    .filter(({ text }) => /^import /.test(withoutComments(text)))
    .flatMap(({ text }) => {
      const whole = withoutComments(text);
      const [, before, list, after] = /^(import(?: type)?) \{([^}]*)\}( from [\s\S]*)$/.exec(whole) ?? [];
      if (list === undefined) return [whole];
      const used = list.split(',').filter((one) => words.has(one.trim().split(' ').at(-1) ?? ''));
      return used.length === 0 ? [] : [`${before} { ${used.map((one) => one.trim()).join(', ')} }${after}`];
    });
  return kept.length === 0 ? '' : [...imports, ...kept.map(({ text }) => text)].join('');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').trimStart();
}
