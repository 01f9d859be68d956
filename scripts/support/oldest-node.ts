/** The oldest Node that the toolchain runs on: the first that strips types without being asked, and has `fs.globSync`. */
export const oldestNode = '22.18.0';

export function isNodeNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
