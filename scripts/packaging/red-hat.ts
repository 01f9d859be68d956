/** What an RPM says besides its files. Pure. */
import type { RpmFacts } from '../formats/rpm.ts';
import type { PackageFacts } from './package-facts.ts';
import { unitsOf } from './units.ts';

export interface RpmTarget {
  readonly architecture: 'x86_64' | 'i686' | 'aarch64' | 'armv7hl';
  /** The oldest glibc; null: static. */
  readonly glibc: string | null;
}

export function rpmFacts(facts: PackageFacts, { architecture, glibc }: RpmTarget): RpmFacts {
  const { name, version, time, about } = facts;
  return {
    name,
    // A hyphen separates version and release; a tilde sorts before the release, as semver's hyphen does.
    version: version.replace('-', '~'),
    release: '1',
    architecture,
    summary: about.summary,
    description: about.description,
    license: about.license,
    url: about.homepage,
    packager: about.maintainer,
    requires: [['/bin/sh'], ...(glibc === null ? [] : [['glibc', glibc] as const])],
    changelog: [{ time, who: `${about.maintainer} - ${version.replace('-', '~')}-1`, text: `- Release ${version}` }],
    scripts: about.service === undefined ? {} : scriptsOf(name, unitsOf(name, about).join(' ')),
    folders: [`/usr/share/doc/${name}`, `/usr/share/licenses/${name}`],
  };
}

/** As systemd's macros %systemd_post, %systemd_preun and %systemd_postun_with_restart expand. $1 is how many versions remain. */
function scriptsOf(name: string, units: string): RpmFacts['scripts'] {
  return {
    postInstall: guarded(`[ "$1" -ne 1 ] || systemctl --no-reload preset ${units} >/dev/null 2>&1 || :`),
    preRemove: guarded(`[ "$1" -ne 0 ] || systemctl --no-reload disable --now ${units} >/dev/null 2>&1 || :`),
    postRemove: guarded(`systemctl daemon-reload >/dev/null 2>&1 || :
  [ "$1" -lt 1 ] || systemctl try-restart ${name}.service >/dev/null 2>&1 || :`),
  };
}

function guarded(body: string): string {
  return `if [ -d /run/systemd/system ]; then\n  ${body}\nfi\n`;
}
