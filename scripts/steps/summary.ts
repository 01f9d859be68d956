/** What a release is, in Markdown, from its manifest alone: the summary of a workflow's job. Owns nothing. */
import { readFileSync } from 'node:fs';
import { megabytes } from '../support/progress.ts';
import { manifestPath } from '../targets/target-facts.ts';
import type { Manifest } from './manifest.ts';

export function summary({ name, version, commit, date, node, targets, files }: Manifest): string {
  const rows = targets.map(({ target, files: its, executable, checks, verdict, fault }) => [
    `\`${target}\``,
    sizeOf(its.find(({ kind }) => kind === 'tar.gz')?.bytes),
    sizeOf(executable?.bytes),
    executable?.glibc ?? (executable === null ? '–' : 'static'),
    String(its.length),
    verdict === 'good' ? checks.map((check) => `${check.name}: ${check.detail}`).join('; ') : `**failed**: ${fault}`,
  ]);
  const head = ['Target', 'Archive', 'Unpacked', 'glibc', 'Files', 'Verdict'];
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const shared = files.map(({ file, bytes }) => `\`${file}\` (${megabytes(bytes)})`).join(', ');
  return `## ${name} ${version}\n\nCommit \`${commit}\` of ${date}, Node.js ${node}.\n\n${table.join('\n')}\n\nFor all targets: ${shared || 'nothing'}.\n`;
}

function sizeOf(bytes: number | undefined): string {
  return bytes === undefined ? '–' : megabytes(bytes);
}

if (import.meta.main) process.stdout.write(summary(JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest));
