/** Reads the bodies of declarations as the TypeScript compiler writes them. */

export interface Member {
  /** Without its name if it is a signature of its own. */
  readonly name: string;
  readonly code: string;
  readonly doc: string;
  readonly isOptional: boolean;
}

/** The public members in the body of an interface or class. */
export function membersOf(body: string): Member[] {
  const members: Member[] = [];
  let doc = '';
  let start = 0;
  let depth = 0;
  for (let at = 0; at < body.length; at++) {
    if (body.startsWith('/**', at) && depth === 0 && body.slice(start, at).trim() === '') {
      const end = body.indexOf('*/', at);
      doc = plain(body.slice(at + 3, end));
      at = end + 1;
      start = end + 2;
      continue;
    }
    const char = body[at] as string;
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ';' && depth === 0) {
      const code = body.slice(start, at).replace(/\s+/g, ' ').trim();
      // Private members, and the brand of a class that has some.
      if (!/^(private |protected |#)/.test(code)) members.push(memberOf(code, doc));
      doc = '';
      start = at + 1;
    }
  }
  return members;
}

function memberOf(code: string, doc: string): Member {
  const plainCode = code.replaceAll('readonly ', '').replace(/ \| undefined$/, '');
  const [, name = '', mark = ''] = /^(?:get |set |static |abstract )*(\w+|\[[^\]]*\])?(\?)?/.exec(plainCode) ?? [];
  return { name, code: plainCode, doc, isOptional: mark === '?' };
}

/** A doc comment as a paragraph; indented examples stay as they are. */
export function plain(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  const paragraphs = lines.join('\n').trim().split(/\n\n+/);
  return paragraphs.map((one) => (one.startsWith('    ') ? one : one.replace(/\s*\n\s*/g, ' '))).join('\n\n');
}
