/** gzip without a name, a time or a system in its header (RFC 1952): the same bytes on every machine with the same zlib. */
import { promisify } from 'node:util';
import { gzip as gzipOf } from 'node:zlib';

export async function gzip(data: Uint8Array): Promise<Buffer> {
  const packed = await promisify(gzipOf)(data, { level: 9, memLevel: 9 });
  // Byte 9 names the operating system that packed it: 255 is "unknown", on every machine.
  packed[9] = 255;
  return packed;
}
