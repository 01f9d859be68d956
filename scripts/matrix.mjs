// `node scripts/matrix.ts` is a link to this file. It is plain JavaScript, so that a Node that cannot read TypeScript ends
// with one line instead of a stack trace: workflows and people run it before npm has put the project's Node on the PATH.
if (process.features.typescript) {
  await import('./targets/print.ts');
} else {
  const rule = 'must be run by Node 22.18 or newer (24 is recommended)';
  console.error(`scripts/matrix.ts ${rule}, got ${process.version}; \`npm run matrix\` uses the project's own Node`);
  process.exitCode = 2;
}
