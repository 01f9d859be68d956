/**
 * The API reference of the library, made from its declarations: every export with its doc comment, every member of its interfaces
 * with its own. `npm run readme` writes it to docs/reference.md.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Member, membersOf, plain } from '../support/declarations.ts';

/** By the file that declares it; what is in none of these comes last. */
const SECTIONS: readonly (readonly [title: string, files: RegExp])[] = [
  ['Serving', /^app\/(serve|app)$/],
  [
    'Requests',
    /^(engine\/(call|address|request-error)|app\/(asked|request-content))$|^content\/(query|cookies|content-error)$/,
  ],
  ['Forms', /^content\/(forms|multipart|part-head|uploads)$/],
  ['Answers', /^(http|engine\/stream-reply|app\/own-answers)|^content\/(conditional|redirect|http-date)$/],
  ['Files', /^(app\/file-replies|files\/)/],
  ['Events', /^events\//],
  ['WebSockets', /^websocket\//],
  ['Web classes', /^fetch\//],
  ['Testing', /^app\/test-server$/],
  ['More', /./],
];

export interface Exported {
  readonly name: string;
  /** Of its module, without the folder of the declarations and without an ending. */
  readonly file: string;
  /** Doc comments and declarations, several for overloads. */
  readonly declarations: readonly Declaration[];
}

export interface Declaration {
  readonly doc: string;
  /** Without its body. */
  readonly head: string;
  /** Of an interface or class. */
  readonly members: readonly Member[];
}

/** What `index.d.ts` exports, in its order. */
export function exportsIn(types: string): Exported[] {
  const index = readFileSync(path.join(types, 'index.d.ts'), 'utf8');
  return [...index.matchAll(/export (?:type )?\{([^}]*)\} from '\.\/([^']+)\.(?:js|ts)'/g)].flatMap(
    ([, names = '', file = '']) => {
      const text = readFileSync(path.join(types, `${file}.d.ts`), 'utf8');
      return names
        .split(',')
        .map((one) => one.trim().replace(/^type /, ''))
        .filter((name) => name !== '')
        .map((name) => ({ name, file, declarations: declarationsOf(name, text, file).map(inherit) }));

      /** With the members of an interface that programs cannot see under its own name. */
      function inherit(declaration: Declaration): Declaration {
        const [, left = '', alias = ''] = /^interface .* extends (Omit<)?(\w+)/.exec(declaration.head) ?? [];
        const from = new RegExp(
          `import (?:type )?\\{[^}]*?(?:(\\w+) as )?\\b${alias}\\b[^}]*\\} from '([^']+)\\.(?:js|ts)'`,
        );
        const [, original = alias, module = ''] = (alias !== '' && from.exec(text)) || [];
        if (module.startsWith('node:') || module === '') return declaration;
        const base = path.join(path.dirname(file), module);
        const inherited = declarationsOf(original, readFileSync(path.join(types, `${base}.d.ts`), 'utf8'), base);
        const own = new Set(declaration.members.map(({ name }) => name));
        const members = inherited.flatMap((one) => one.members).filter(({ name }) => !own.has(name));
        return {
          ...declaration,
          head: left === '' && original === alias ? declaration.head : withoutBase(declaration.head),
          members: [...members, ...declaration.members],
        };
      }
    },
  );
}

export function referenceText(exported: readonly Exported[]): string {
  let text = `# Reference

Made from the declarations in the package (\`npm run readme\`). Sizes are bytes and times milliseconds unless a name says otherwise.\n`;
  const left = new Set(exported);
  for (const [title, files] of SECTIONS) {
    const inside = [...left].filter(({ file }) => files.test(file));
    if (inside.length === 0) continue;
    text += `\n## ${title}\n`;
    for (const one of inside) {
      left.delete(one);
      text += `\n### ${one.name}\n`;
      for (const declaration of one.declarations) text += textOf(declaration);
    }
  }
  return text;
}

function textOf({ doc, head, members }: Declaration): string {
  let text = `\n\`\`\`ts\n${head}\n\`\`\`\n`;
  if (doc !== '') text += `\n${doc}\n`;
  if (members.length > 0) text += '\n';
  for (const { code, doc: about } of members) text += `- ${asCode(code)}${about === '' ? '' : `: ${about}`}\n`;
  return text;
}

function withoutBase(head: string): string {
  return head.replace(/ extends .*/s, '');
}

function asCode(code: string): string {
  return code.includes('`') ? `\`\` ${code} \`\`` : `\`${code}\``;
}

/** All declarations of that name in a module. Throws if there is none. */
function declarationsOf(name: string, text: string, file: string): Declaration[] {
  const pattern = `(?:/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*)?^export (?:declare )?((?:abstract )?(?:function|interface|class|type|const) ${name}\\b)`;
  const found = [...text.matchAll(new RegExp(pattern, 'gm'))].map((match): Declaration => {
    const [all, doc = '', start = ''] = match;
    const rest = text.slice(match.index + all.length);
    if (!/interface|class/.test(start)) return { doc: plain(doc), head: `${start}${upToEnd(rest)}`, members: [] };
    const brace = rest.indexOf('{\n');
    const body = rest.slice(brace + 1, rest.indexOf('\n}', brace));
    return { doc: plain(doc), head: `${start}${rest.slice(0, brace)}`.trim(), members: membersOf(body) };
  });
  // A constant and its type share a name; the constant says it all.
  const constant = found.filter(({ head }) => head.startsWith('const'));
  if (found.length === 0) throw new Error(`${file}.d.ts must declare ${name}, which index.d.ts exports`);
  return constant.length > 0 ? constant : found;
}

/** To the semicolon that ends a declaration. */
function upToEnd(text: string): string {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ';' && depth === 0) return text.slice(0, at);
  }
  return text;
}
