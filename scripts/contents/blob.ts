/** What a program's executable carries besides its Node: what `package` injects, and `verify` compares with what it finds. */
import { readFile } from 'node:fs/promises';
import type { NewBlob } from '../formats/sea-blob.ts';
import { program } from '../program/program.ts';

/** Files as the step `bundle` has written them. */
export interface Parts {
  /** What Node runs. */
  readonly code: string;
  /** What V8 makes of it before it runs. */
  readonly codeCache?: string | undefined;
  /** What the code reads from the blob: names there, to files. `files` is the pack of modules and assets. */
  readonly assets: Readonly<Record<string, string>>;
}

/** Stack traces name the program, and no folder of the build machine is inside. */
export async function blobOf({ code, codeCache, assets }: Parts): Promise<NewBlob> {
  const read = Object.entries(assets).map(async ([name, file]) => ({ name, data: await readFile(file) }));
  return {
    codePath: program.name,
    code: await readFile(code),
    codeCache: codeCache === undefined ? undefined : await readFile(codeCache),
    assets: await Promise.all(read),
    execArgv: program.execArgv,
  };
}
