/** Trailer sections on their way through: only fields that nobody can take for others (RFC 9110 §6.5.1). */

/** Framing, routing, authentication, request modifiers, control data, and what describes the content. */
const FORBIDDEN =
  /^(?:connection|keep-alive|proxy-.*|transfer[-_]encoding|content[-_].*|upgrade|te|trailer|host|expect|via|x[-_]forwarded[-_].*|x[-_]real[-_]ip|forwarded|authorization|www-authenticate|cookie|set-cookie|cache-control|age|date|expires|location|retry-after|vary|warning|pragma|max-forwards|range|if-.*|accept.*|origin|referer)$/i;

/** `section` consists of field lines and the empty line; returns those lines that go on, each with its CR LF. */
export function passedTrailers(section: string): string {
  let lines = '';
  for (const line of section.split('\r\n')) {
    if (line !== '' && !FORBIDDEN.test(line.slice(0, line.indexOf(':')))) lines += `${line}\r\n`;
  }
  return lines;
}
