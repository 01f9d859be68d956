/**
 * What a program needs of its Node that a runtime may lack, and where: in its own modules, and in those of its packages that
 * its code leads to. Read from the syntax, so that comments, texts and `typeof Intl` do not count.
 */
import { type Expression, type Node, parse } from 'acorn';
import { ancestor } from 'acorn-walk';

export const features = {
  intl: 'Intl',
  properties: 'Unicode properties in regular expressions (\\p{…})',
  normalize: 'String.prototype.normalize',
  sqlite: 'node:sqlite',
  inspector: 'node:inspector',
  quic: 'node:quic',
} as const;

export type Feature = keyof typeof features;

export interface Need {
  readonly feature: Feature;
  readonly file: string;
  readonly line: number;
}

/** Only a text that has one of these is parsed. */
const hints = /\bIntl\b|\\p\{|\\P\{|\bnormalize\b|\bsqlite\b|\binspector\b|\bquic\b/;

const builtins: Readonly<Record<string, Feature>> = {
  'node:sqlite': 'sqlite',
  'node:inspector': 'inspector',
  inspector: 'inspector',
  'node:inspector/promises': 'inspector',
  'node:quic': 'quic',
};

/** The first place of each; a text that cannot be parsed needs nothing that could be said. */
export function needsOf(file: string, text: string): Need[] {
  if (!hints.test(text)) return [];
  const found = new Map<Feature, Need>();
  const add = (feature: Feature, { start }: Node): void => {
    if (!found.has(feature)) found.set(feature, { feature, file, line: text.slice(0, start).split('\n').length });
  };
  const tree = parsed(text);
  if (tree === undefined) return [];
  ancestor(tree, {
    Identifier(node, _state, ancestors) {
      if (node.name === 'Intl' && !isGuarded(ancestors)) add('intl', node);
    },
    Literal(node) {
      const { regex } = node;
      if (regex && /[uv]/.test(regex.flags) && /\\[pP]\{/.test(regex.pattern)) add('properties', node);
    },
    NewExpression(node) {
      if (isNamed(node.callee, 'RegExp') && isPropertyPattern(node.arguments[0])) add('properties', node);
    },
    CallExpression(node, _state, ancestors) {
      const {
        callee,
        arguments: [first],
      } = node;
      if (callee.type === 'MemberExpression' && isNamed(callee.property, 'normalize') && isFormOf(first))
        add('normalize', node);
      if (isNamed(callee, 'require') && first?.type === 'Literal') addBuiltin(first.value, node, ancestors);
    },
    ImportDeclaration: (node, _state, ancestors) => addBuiltin(node.source.value, node, ancestors),
    ImportExpression: (node, _state, ancestors) =>
      node.source.type === 'Literal' && addBuiltin(node.source.value, node, ancestors),
  });
  return [...found.values()];

  function addBuiltin(name: unknown, node: Node, ancestors: readonly Node[]): void {
    const feature = typeof name === 'string' ? builtins[name] : undefined;
    if (feature === undefined || isGuarded(ancestors)) return;
    // What a package loads only when it is asked to, its users may never ask for: profilers, drivers of other databases.
    if (file.includes('node_modules/') && ancestors.some(({ type }) => /Function/.test(type))) return;
    add(feature, node);
  }
}

function parsed(text: string): Node | undefined {
  for (const sourceType of ['module', 'script'] as const) {
    try {
      return parse(text, { ecmaVersion: 'latest', sourceType, allowHashBang: true, allowReturnOutsideFunction: true });
    } catch {
      // The other kind may do.
    }
  }
  return undefined;
}

/** Behind `typeof`, or where a condition asks for it first: the program copes without it. */
function isGuarded(ancestors: readonly Node[]): boolean {
  return ancestors.some((node, index) => {
    const { type, operator, test } = node as Node & { operator?: string; test?: Expression; block?: Node };
    const child = ancestors[index + 1];
    if (type === 'UnaryExpression' && operator === 'typeof') return true;
    if (type === 'TryStatement' && (node as Node & { handler?: unknown; block?: Node }).block === child) return true;
    if (type === 'IfStatement' || type === 'ConditionalExpression') return test !== undefined && mentionsIntl(test);
    if (type === 'LogicalExpression') return mentionsIntl((node as unknown as { left: Node }).left);
    return false;
  });
}

function mentionsIntl(node: Node): boolean {
  let found = false;
  ancestor(node, {
    Identifier(each) {
      found ||= each.name === 'Intl';
    },
  });
  return found;
}

function isNamed(node: Node, name: string): boolean {
  return node.type === 'Identifier' && (node as Node & { name: string }).name === name;
}

function isPropertyPattern(node: Node | undefined): boolean {
  const { value } = (node ?? {}) as { value?: unknown };
  return typeof value === 'string' && /\\[pP]\{/.test(value);
}

/** `path.normalize(x)` and others have the same name. */
function isFormOf(node: Node | undefined): boolean {
  const { value } = (node ?? {}) as { value?: unknown };
  return typeof value === 'string' && /^NFK?[CD]$/.test(value);
}
