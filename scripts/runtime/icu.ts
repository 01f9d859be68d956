/**
 * ICU's data for the runtimes: those of root and English, cut by Node's own tools from the file that holds all locales.
 * Made once for all targets (all are little-endian), by tools that are compiled for the build machine.
 */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { $ } from 'zx';
import { findSource, unpackSource } from '../sources/sources.ts';
import { Failure } from '../support/errors.ts';
import { sha256FileSync } from '../support/hash.ts';
import { cores } from '../support/slots.ts';
import { work } from './paths.ts';

/** All locales: what a program takes along that wants more than English (`--icu-data-dir`). Unchanged from ICU's archive. */
export const allLocalesName = 'icudt78l.dat';
export const allLocalesSha256 = 'd5cf2a40dccbe471781ec7af85693bff542ff12f0b670c9630c4e72d60714b8b';

/** What `icu_small.json` leaves, and segmentation; the same whoever cuts it. */
export const trimmedSha256 = 'a4ec2a14cd48434888b18f7cfc4cf1d07414b723beab620f69bf4fb8df354990';

/** As icu-generic.gyp has them: the second only for the library that the tools are linked with. */
const commonDefines = [
  'UCONFIG_NO_SERVICE=1',
  'U_ENABLE_DYLOAD=0',
  'U_STATIC_IMPLEMENTATION=1',
  'U_ATTRIBUTE_DEPRECATED=',
];
const libraryDefines = ['COMMON', 'I18N', 'IO', 'TOOLUTIL'].map((part) => `U_${part}_IMPLEMENTATION=1`);

const libraryFolders = ['common', 'i18n', 'stubdata', 'tools/toolutil'];
const tools: Record<string, string> = { icupkg: 'tools/icupkg', genrb: 'tools/genrb' };
/** Programs of their own, in the folders of others. */
const notCompiled = /^(derb|dbgutil|udbgutil)\.(c|cpp)$/;

/** The path of the data of all locales, as in ICU's archive. */
export async function allLocales(): Promise<string> {
  const file = join(await unpackSource(findSource('icu')), 'source/data/in', allLocalesName);
  if (sha256FileSync(file) !== allLocalesSha256)
    throw new Failure(`${file} must have the SHA-256 ${allLocalesSha256}, has ${sha256FileSync(file)}`);
  return file;
}

/** The path of the trimmed data. `tree` is Node's source. */
export async function trimIcuData(tree: string): Promise<string> {
  // What ninja finds there is of these sources.
  const folder = join(work, 'icu', findSource('icu').sha256.slice(0, 12));
  const trimmed = join(folder, 'trimmed', allLocalesName);
  if (existsSync(trimmed) && sha256FileSync(trimmed) === trimmedSha256) return trimmed;
  const source = join(await unpackSource(findSource('icu')), 'source');
  const rules = join(tree, 'tools/icu');
  await mkdir(join(folder, 'trimmed'), { recursive: true });
  await buildTools(folder, source, join(rules, 'iculslocs.cc'));
  const options = [
    '-P',
    folder,
    '-D',
    `${source}/data/in/${allLocalesName}`,
    '--delete-tmp',
    '-T',
    `${folder}/cut`,
  ].concat('-F', `${rules}/icu_small.json`, '-O', allLocalesName, '-L', 'en,root');
  await $`/usr/bin/python3 ${rules}/icutrim.py ${options}`;
  const cut = await addSegmentation(folder, join(folder, 'cut', allLocalesName), `${source}/data/in/${allLocalesName}`);
  if (sha256FileSync(cut) !== trimmedSha256)
    throw new Failure(`${cut} must have the SHA-256 ${trimmedSha256}, has ${sha256FileSync(cut)}`);
  await copyFile(cut, trimmed);
  return trimmed;
}

/**
 * `icu_small.json` leaves nothing that Intl.Segmenter needs. Here: characters, words and sentences by Unicode's rules, 57 KB;
 * not the dictionaries (3 MB) by which words are found in Chinese, Japanese, Thai, Lao, Khmer and Burmese.
 */
const segmentation = `root{
    boundaries{
        grapheme:process(dependency){"char.brk"}
        word:process(dependency){"word.brk"}
        sentence:process(dependency){"sent.brk"}
    }
}
`;

async function addSegmentation(toolsFolder: string, cut: string, all: string): Promise<string> {
  const folder = join(toolsFolder, 'segmentation');
  await mkdir(join(folder, 'brkitr'), { recursive: true });
  const rules = ['char', 'word', 'sent'].map((name) => `brkitr/${name}.brk`);
  await writeFile(join(folder, 'rules.lst'), `${rules.join('\n')}\n`);
  await writeFile(join(folder, 'items.lst'), `${['brkitr/root.res', ...rules].join('\n')}\n`);
  await writeFile(join(folder, 'root.txt'), segmentation);
  await $`${toolsFolder}/icupkg -d ${folder} -x ${folder}/rules.lst ${all}`;
  await $`${toolsFolder}/genrb -s ${folder} -d ${folder}/brkitr root.txt`;
  await $`${toolsFolder}/icupkg -s ${folder} -a ${folder}/items.lst ${cut} ${folder}/${allLocalesName}`;
  return join(folder, allLocalesName);
}

async function buildTools(folder: string, source: string, iculslocs: string): Promise<void> {
  const includes = ['common', 'i18n', 'tools/toolutil'].map((part) => `-I${source}/${part}`);
  const flagsWith = (defines: readonly string[]): string =>
    ['-O0', '-w', '-std=c++17', '-frtti', ...defines.map((name) => `-D${name}`), ...includes].join(' ');
  const rules = [
    `rule cc\n  command = clang++-19 ${flagsWith([...commonDefines, ...libraryDefines])} -c $in -o $out`,
    `rule tool\n  command = clang++-19 ${flagsWith(commonDefines)} -c $in -o $out`,
    `rule c\n  command = clang-19 -O0 -w ${includes.join(' ')} -c $in -o $out`,
    'rule link\n  command = clang++-19 $in -lpthread -lm -o $out',
  ];
  const object = (rule: string, name: string, file: string): string => {
    rules.push(`build ${name}.o: ${file.endsWith('.c') ? 'c' : rule} ${file}`);
    return `${name}.o`;
  };
  const objectsOf = async (rule: string, part: string): Promise<string[]> => {
    const names = (await readdir(join(source, part))).filter(
      (name) => /\.(c|cpp)$/.test(name) && !notCompiled.test(name),
    );
    return names.sort().map((name) => object(rule, `${part}/${name}`, join(source, part, name)));
  };
  const library = (await Promise.all(libraryFolders.map((part) => objectsOf('cc', part)))).flat();
  for (const [tool, part] of Object.entries(tools)) {
    rules.push(`build ${tool}: link ${[...(await objectsOf('tool', part)), ...library].join(' ')}`);
  }
  rules.push(`build iculslocs: link ${[object('tool', 'iculslocs', iculslocs), ...library].join(' ')}`);
  await writeFile(join(folder, 'build.ninja'), `${rules.join('\n')}\n`);
  await $`ninja -C ${folder} -j${cores}`;
}

/** Assembler that puts the data where Node looks for them; `.incbin` looks in the folders of -I. */
export function dataAssembler(): string {
  return `/* SHA-256 ${trimmedSha256} */
  .section .rodata,"a"
  .balign 16
  .globl icusmdt78_dat
  .type icusmdt78_dat, %object
icusmdt78_dat:
  .incbin "${allLocalesName}"
  .size icusmdt78_dat, . - icusmdt78_dat
  .section .note.GNU-stack,"",%progbits
`;
}
