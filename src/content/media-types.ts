/** Properties of media types. */

/** The type without parameters, in lower case. */
export function essenceOf(type: string): string {
  const semicolon = type.indexOf(';');
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase();
}

const COMPRESSIBLE: ReadonlySet<string> = new Set([
  'application/javascript',
  'application/json',
  'application/ld+json',
  'application/manifest+json',
  'application/rtf',
  'application/vnd.ms-fontobject',
  'application/wasm',
  'application/x-javascript',
  'application/x-ndjson',
  'application/xml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/svg+xml',
  'image/x-icon',
  'image/vnd.microsoft.icon',
]);

/** Whether content of this type shrinks: text and similar formats, not those that are compressed already. */
export function isCompressible(type: string): boolean {
  const essence = essenceOf(type);
  // Events must be delivered at once; a compressor in between holds them back.
  if (essence === 'text/event-stream') return false;
  return (
    essence.startsWith('text/') || essence.endsWith('+json') || essence.endsWith('+xml') || COMPRESSIBLE.has(essence)
  );
}
