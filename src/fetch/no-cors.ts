/** Which headers a request of mode "no-cors" may have (Fetch standard §2.2.2, "no-CORS-safelisted request-header"). */

const NAMES = new Set(['accept', 'accept-language', 'content-language', 'content-type']);
const SIMPLE_TYPES = new Set(['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']);

export function isNoCorsSafelisted(lower: string, value: string): boolean {
  if (!NAMES.has(lower) || value.length > 128) return false;
  switch (lower) {
    case 'accept':
      return !hasUnsafeByte(value);
    case 'content-type': {
      const [type = ''] = value.split(';', 1);
      return !hasUnsafeByte(value) && SIMPLE_TYPES.has(type.trim().toLowerCase());
    }
    default:
      return /^[0-9A-Za-z *,\-.;=]*$/.test(value);
  }
}

/** "CORS-unsafe request-header byte". */
function hasUnsafeByte(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule is about them
  return /[\x00-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/.test(value);
}
