/** Stands in for `node:child_process` in the bundle (see `scripts/steps/bundle.ts`): the server starts no processes. */
export default {
  spawn(): never {
    throw new Error('vrypt-server starts no processes');
  },
};
