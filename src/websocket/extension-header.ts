/** The grammar of Sec-WebSocket-Extensions (RFC 6455 §9.1): a list of extensions, each with its parameters. */

export interface ExtensionOffer {
  readonly name: string;
  /** A parameter without a value is `true`. Repeated parameters are all listed: the grammar allows them. */
  readonly parameters: readonly (readonly [name: string, value: string | true])[];
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const SPACE = /[ \t]*/y;

/** The offers in their order, or null if the field is not valid. */
export function parseExtensions(field: string): ExtensionOffer[] | null {
  const offers: ExtensionOffer[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(field)?.[0] ?? null;
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  const takes = (character: string): boolean => {
    match(SPACE);
    if (field[at] !== character) return false;
    at++;
    match(SPACE);
    return true;
  };
  match(SPACE);
  do {
    // Empty elements of a list are skipped (RFC 9110 §5.6.1.2).
    if (at === field.length || field[at] === ',') continue;
    const name = match(TOKEN);
    if (name === null) return null;
    const parameters: [string, string | true][] = [];
    while (takes(';')) {
      const parameter = match(TOKEN);
      if (parameter === null) return null;
      if (!takes('=')) {
        parameters.push([parameter.toLowerCase(), true]);
        continue;
      }
      const value = field[at] === '"' ? quoted() : match(TOKEN);
      if (value === null) return null;
      parameters.push([parameter.toLowerCase(), value]);
    }
    offers.push({ name: name.toLowerCase(), parameters });
  } while (takes(','));
  return at === field.length ? offers : null;

  /** A quoted string; what it holds must be a token (RFC 6455 §9.1). */
  function quoted(): string | null {
    at++;
    let value = '';
    while (at < field.length && field[at] !== '"') {
      if (field[at] === '\\') at++;
      value += field[at++] ?? '';
    }
    if (at >= field.length) return null;
    at++;
    return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value) ? value : null;
  }
}
