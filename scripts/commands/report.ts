/** What people must know of a project before and after anything is made of it, each in a line. Refuses nothing. */
import { readSources } from '../contents/contents.ts';
import { program } from '../program/program.ts';
import { readOrigin } from '../sources/origin.ts';

export async function warningsOf(): Promise<string[]> {
  const { commit } = await readOrigin();
  const license = 'no LICENSE lies in the project: the archives carry none of its own (the field licenses names it)';
  const unknown = 'no git commit is known: the archives say so, and their files are of 1980-01-01';
  return [
    ...(program.licenses.length === 0 ? [license] : []),
    ...(commit === 'unknown' ? [unknown] : []),
    ...(program.oneFile === undefined ? (await readSources()).warnings : []),
  ];
}
