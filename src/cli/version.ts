/** What --version prints: one line, or with --json everything inside this build. */
import type { BuildStamp, BuildTarget } from './process-io.ts';

export function versionLine({ version, commit }: BuildStamp): string {
  return `${version} (${commit})\n`;
}

/** One JSON object on one line. Without a bundle, target and runtime are null. */
export function versionJson(build: BuildStamp): string {
  const { version, commit } = build;
  const { triple = null, runtime = null } = ownTarget(build) ?? {};
  return `${JSON.stringify({ name: 'vrypt-server', version, commit, target: triple, runtime, versions: process.versions })}\n`;
}

/** The report names glibc if the executable is linked to it; otherwise it is one of ours with musl. */
function ownTarget({ targets }: BuildStamp): BuildTarget | undefined {
  // Otherwise the report asks the name server for the names of all peers. Not in Node's types yet.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return targets[`${process.arch}-${header.glibcVersionRuntime === undefined ? 'musl' : 'glibc'}`];
}
