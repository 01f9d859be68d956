/** The oldest Node that the toolchain runs on: the first that strips types without being asked, and has `fs.globSync`. */
import semver from 'semver';

export const oldestNode = '22.18.0';

export function isNodeNewEnough(version: string): boolean {
  return semver.gte(version, oldestNode);
}
