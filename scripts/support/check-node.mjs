// Run by npm after an installation (`prepare`): one line if npm itself runs on an older Node than the packages require.
// The Node of this process is already the project's own, so npm's is read from what npm says of itself.
const [, version = '', major = ''] = /\bnode\/(v(\d+)\S*)/.exec(process.env.npm_config_user_agent ?? '') ?? [];
if (version !== '' && Number(major) < 22) {
  console.error(`npm must be run by Node 22 or newer (24 is recommended), got ${version}`);
}
