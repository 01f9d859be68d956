/** Says in one line that Node is too old, before something that it lacks fails with a stack. `engines` alone only warns. */

const OLDEST_MAJOR = 22;

const [major = ''] = process.versions.node.split('.');
if (Number(major) < OLDEST_MAJOR) {
  throw new Error(`vrypt-server needs Node ${OLDEST_MAJOR} or newer, this is ${process.version}`);
}
