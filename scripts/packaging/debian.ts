/** What Debian's policy asks of a package besides its files: control, copyright, changelog, scripts, overrides. Pure. */
import type { DebControl } from '../formats/deb.ts';
import type { PackageFacts } from './package-facts.ts';
import { unitsOf } from './units.ts';

export interface DebTarget {
  readonly architecture: string;
  /** The oldest glibc; null: static. */
  readonly glibc: string | null;
}

export function debControl(facts: PackageFacts, { architecture, glibc }: DebTarget): DebControl {
  const { name, version, about } = facts;
  return {
    fields: {
      Package: name,
      Version: version,
      Architecture: architecture,
      Maintainer: about.maintainer,
      ...(glibc === null ? {} : { Depends: `libc6 (>= ${glibc})` }),
      Section: about.service === undefined ? 'utils' : 'httpd',
      Priority: 'optional',
      ...(about.homepage === '' ? {} : { Homepage: about.homepage }),
      Description: `${about.summary}\n${about.description}`,
    },
    scripts: about.service === undefined ? {} : scriptsOf(facts),
  };
}

/**
 * As debhelper writes them for a unit that is not enabled at once: a server that listens on every address waits to be asked for.
 * An upgrade restarts it where it runs.
 */
function scriptsOf({ name, about }: PackageFacts): Record<string, string> {
  const service = `${name}.service`;
  const units = unitsOf(name, about).join(' ');
  return {
    // So that purging finds the links by which an administrator has enabled them.
    postinst: script(`if [ "$1" = configure ] && command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper update-state ${units} >/dev/null || true
fi
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
	if [ -n "$2" ] && command -v deb-systemd-invoke >/dev/null; then
		deb-systemd-invoke try-restart ${service} >/dev/null || true
	fi
fi`),
    prerm: script(`if [ "$1" = remove ] && [ -d /run/systemd/system ] && command -v deb-systemd-invoke >/dev/null; then
	deb-systemd-invoke stop ${units} >/dev/null || true
fi`),
    postrm: script(`if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
if [ "$1" = purge ] && command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper purge ${units} >/dev/null || true
	deb-systemd-helper unmask ${units} >/dev/null || true
fi`),
  };
}

function script(body: string): string {
  return `#!/bin/sh\nset -e\n\n# Automatically added section, as debhelper would write it\n${body}\n# End automatically added section\n`;
}

/** https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
export function copyright({ name, about, texts }: PackageFacts): string {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${name}
${about.homepage === '' ? '' : `Source: ${about.homepage}\n`}Comment: The executable contains other software, whose licenses are in
 /usr/share/doc/${name}/THIRD-PARTY-LICENSES.txt.

Files: *
Copyright: ${copyrightLine(texts.license)}
License: ${about.license}
${texts.license
  .trim()
  .split('\n')
  .map((line) => (line.trim() === '' ? ' .' : ` ${line}`))
  .join('\n')}
`;
}

function copyrightLine(license: string): string {
  return /^Copyright (?:\(c\) )?(.*)$/im.exec(license)?.[1] ?? 'the authors';
}

/** Native: upstream and package are one, and have one changelog. */
export function debianChangelog({ name, version, time, about }: PackageFacts): string {
  const date = new Date(time * 1000).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}) stable; urgency=medium\n\n  * Release ${version}, see the changelog of the project.\n\n -- ${about.maintainer}  ${date}\n`;
}

/** Each is how a self-contained executable is made, and none is an oversight: scripts/README.md, runtimes/README.md. */
export function lintianOverrides({ name }: PackageFacts): string {
  const tags = {
    'embedded-library': 'one file has its libraries inside; their versions are in its SBOM',
    'hardening-no-pie': 'a fixed address, as the official Node.js has',
    'hardening-no-relro': 'the tool that puts the program into a 32-bit executable cannot do it with RELRO',
    'initial-upload-closes-no-bugs': 'it is not uploaded to Debian',
    'spelling-error-in-binary': 'texts of Node.js',
  };
  return Object.entries(tags)
    .map(([tag, reason]) => `# ${reason}\n${name}: ${tag} *\n`)
    .join('');
}
