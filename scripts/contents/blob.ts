/** What a program's executable carries besides its Node: what `package` injects, and `verify` compares with what it finds. */
import { readFile } from 'node:fs/promises';
import type { NewBlob } from '../formats/sea-blob.ts';
import { program } from '../program/program.ts';

/** Files as the step `bundle` has written them. */
export interface Parts {
  /** What Node runs. */
  readonly code: string;
  /** The pack of modules and assets; undefined if all is in the code. */
  readonly files: string | undefined;
}

/** Stack traces name the program, and no folder of the build machine is inside. */
export async function blobOf({ code, files }: Parts): Promise<NewBlob> {
  const assets = files === undefined ? [] : [{ name: 'files', data: await readFile(files) }];
  return { codePath: program.name, code: await readFile(code), assets, execArgv: program.execArgv };
}
