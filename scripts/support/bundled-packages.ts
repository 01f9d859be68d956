/** Which npm packages a bundle holds, for their licenses. */
import type { Metafile } from 'esbuild';

/** The folders of npm packages whose code is in a bundle, relative to the checkout. */
export function packagesIn(metafile: Metafile): string[] {
  return Object.keys(metafile.inputs).flatMap((input) => {
    const match = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    return match?.[1] === undefined ? [] : [match[1]];
  });
}
