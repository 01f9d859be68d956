/** The files of a system package, by distribution: what lies where. Pure, but for compressing manual page and changelog. */

import type { PackagedFile } from '../formats/deb.ts';
import { gzip } from '../formats/gzip.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts';
import { copyright, debianChangelog, lintianOverrides } from './debian.ts';
import { manPage } from './man-page.ts';
import type { PackageFacts } from './package-facts.ts';
import { environmentFile, serviceUnit, socketUnit } from './units.ts';

export type Family = 'deb' | 'rpm' | 'apk';

const settingsFolder = { deb: '/etc/default', rpm: '/etc/sysconfig', apk: '/etc/conf.d' } as const;

export async function packageFiles(facts: PackageFacts, family: Family): Promise<PackagedFile[]> {
  const { name, texts, about } = facts;
  const doc = `/usr/share/doc/${name}`;
  return [
    { path: `/usr/bin/${name}`, mode: 0o755, data: facts.executable },
    ...(await manual(facts)),
    ...(family === 'deb'
      ? [
          text(`${doc}/copyright`, copyright(facts)),
          text(`${doc}/THIRD-PARTY-LICENSES.txt`, texts.thirdParty),
          packed(`${doc}/changelog.gz`, await gzip(Buffer.from(debianChangelog(facts)))),
          text(`/usr/share/lintian/overrides/${name}`, lintianOverrides(facts)),
        ]
      : [
          text(`/usr/share/licenses/${name}/LICENSE`, texts.license),
          text(`/usr/share/licenses/${name}/THIRD-PARTY-LICENSES.txt`, texts.thirdParty),
          text(`${doc}/CHANGELOG.md`, texts.changelog),
        ]),
    text(`${doc}/README.md`, texts.readme),
    ...(about.service === undefined ? [] : service(facts, family)),
  ];
}

/** The part of `share/` that every archive has too, below the folder of its own. */
export function shareFiles(
  facts: Pick<PackageFacts, 'name' | 'version' | 'time' | 'commandLine'>,
): readonly PackagedFile[] {
  const { name, commandLine } = facts;
  if (commandLine === undefined) return [];
  return [
    text(`/share/man/man1/${name}.1`, manPage(facts, commandLine)),
    text(`/share/bash-completion/completions/${name}`, bashCompletion(name, commandLine)),
    text(`/share/zsh/site-functions/_${name}`, zshCompletion(name, commandLine)),
    text(`/share/fish/vendor_completions.d/${name}.fish`, fishCompletion(name, commandLine)),
  ];
}

async function manual(facts: PackageFacts): Promise<PackagedFile[]> {
  const files = shareFiles(facts).map(async (file): Promise<PackagedFile> => {
    const path = `/usr${file.path}`;
    return file.path.startsWith('/share/man/') ? packed(`${path}.gz`, await gzip(file.data)) : { ...file, path };
  });
  return Promise.all(files);
}

function service(facts: PackageFacts, family: Family): PackagedFile[] {
  const { name, about } = facts;
  const { service: its } = about;
  if (its === undefined) return [];
  const settings = `${settingsFolder[family]}/${name}`;
  const file = { ...text(settings, environmentFile(name, its)), isSettings: true } as const;
  if (family === 'apk') return [{ ...text(`/etc/init.d/${name}`, openRc(facts)), mode: 0o755 }, file];
  const units = family === 'deb' ? '/lib/systemd/system' : '/usr/lib/systemd/system';
  return [
    text(`${units}/${name}.service`, serviceUnit(name, about, its, settings)),
    ...(its.takesSocket ? [text(`${units}/${name}.socket`, socketUnit(name, about, its))] : []),
    file,
  ];
}

/** Alpine has OpenRC; conf.d is sourced, so its variables are exported here. */
function openRc({ name, about }: PackageFacts): string {
  return `#!/sbin/openrc-run
description="${about.summary}"
command="/usr/bin/${name}"
command_args="${about.service?.args.join(' ') ?? ''}"
command_background=yes
command_user="nobody:nobody"
pidfile="/run/\${RC_SVCNAME}.pid"
retry="TERM/90/KILL/5"

depend() {
	need net
}

start_pre() {
	set -a
	[ ! -r "/etc/conf.d/\${RC_SVCNAME}" ] || . "/etc/conf.d/\${RC_SVCNAME}"
}
`;
}

function text(path: string, content: string): PackagedFile {
  return packed(path, Buffer.from(content));
}

function packed(path: string, data: Uint8Array): PackagedFile {
  return { path, mode: 0o644, data };
}
