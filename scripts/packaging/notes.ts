/** Release notes: the changes of a version from CHANGELOG.md, a table of what there is, and how to check it. Pure. */
import { Failure } from '../support/errors.ts';
import { megabytes } from '../support/progress.ts';

export interface NotesFacts {
  readonly name: string;
  readonly version: string;
  /** What `changesOf` found; undefined: the project has no changelog. */
  readonly changes: string | undefined;
  readonly rows: readonly NotesRow[];
  /** Of minisign; none: the release is not signed. */
  readonly keys: readonly string[];
  /** owner/name on GitHub; empty: unknown. */
  readonly repository: string;
}

export interface NotesRow {
  readonly target: string;
  readonly needs: string;
  readonly archive: string;
  readonly bytes: number;
  /** Of the same target in the last release. */
  readonly before: number | undefined;
}

export function notes(facts: NotesFacts): string {
  const { name, version, changes } = facts;
  return [
    `# ${name} ${version}`,
    '',
    ...(changes === undefined ? [] : [changes, '']),
    '## Downloads',
    '',
    '| Target | Needs | Archive | Since the last release |',
    '| --- | --- | --- | --- |',
    ...facts.rows.map(
      ({ target, needs, bytes, before }) =>
        `| \`${target}\` | ${needs} | ${megabytes(bytes)} | ${difference(bytes, before)} |`,
    ),
    '',
    '## Check a download',
    '',
    'With the files of this release in one folder:',
    '',
    '```sh',
    ...verifyBlock(facts),
    '```',
    '',
    ...(facts.keys.length === 0 ? ['The checksums of this release are not signed.', ''] : []),
  ].join('\n');
}

/** Runs with GNU tools and with BusyBox alike. */
function verifyBlock({ rows, keys, repository }: NotesFacts): string[] {
  const first = rows[0]?.archive ?? '';
  return [
    `grep -F ' ${first}' checksums-sha256.txt | sha256sum -c`,
    ...keys.slice(0, 1).map((key) => `minisign -Vm checksums-sha256.txt -P ${key}`),
    ...(repository === '' ? [] : [`gh attestation verify ${first} --repo ${repository}`]),
  ];
}

/** The section of a version in the form of Keep a Changelog, without its heading. It must say something. */
export function changesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) =>
    new RegExp(`^\\[?${version.replaceAll(/[.+]/g, '\\$&')}\\]?(\\s|$)`).test(text),
  );
  if (section === undefined) throw new Failure(`CHANGELOG.md must have a section for version ${version}, it has none`);
  const changes = section
    .slice(section.indexOf('\n'))
    .replace(/^\[[^\]]+\]:.*$/gm, '')
    .trim();
  if (changes.replace(/^#.*$/gm, '').trim() === '') {
    throw new Failure(`CHANGELOG.md must say what changed in version ${version}, the section is empty`);
  }
  return changes.replace(/^###/gm, '##');
}

function difference(now: number, before: number | undefined): string {
  if (before === undefined) return 'new';
  const bytes = now - before;
  if (bytes === 0) return 'same size';
  const share = ((bytes / before) * 100).toFixed(1);
  return `${bytes > 0 ? '+' : '−'}${(Math.abs(bytes) / 1000).toFixed(0)} kB (${bytes > 0 ? '+' : ''}${share} %)`.replace(
    '(-',
    '(−',
  );
}
