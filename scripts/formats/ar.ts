/** The common ar format, as dpkg reads it: deb(5). Pure functions: files in, bytes out. */

export interface Member {
  readonly name: string;
  readonly data: Uint8Array;
}

/** `time` in seconds since 1970; owner and group are 0. */
export function ar(members: readonly Member[], time: number): Buffer {
  const parts = members.flatMap(({ name, data }) => {
    if (name.length > 15) throw new RangeError(`an ar name must have at most 15 characters, got "${name}"`);
    const fields = [
      name.padEnd(16),
      String(time).padEnd(12),
      '0     ',
      '0     ',
      '100644  ',
      String(data.length).padEnd(10),
    ];
    return [Buffer.from(`${fields.join('')}\`\n`), data, Buffer.from(data.length % 2 === 0 ? '' : '\n')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
