// node .ci/failed-tests.mjs report.json: prints "passed failed file..."; which tests failed and why goes to stderr.
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const SHOWN = 30;

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failedFiles = report.testResults.filter((file) => file.status === 'failed');
const failures = failedFiles.flatMap((file) => {
  // A file that could not be loaded has no tests.
  if (file.assertionResults.length === 0) return [{ name: file.name, message: file.message }];
  return file.assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => ({ name: test.fullName, message: test.failureMessages.join('\n') }));
});
for (const { name, message } of failures.slice(0, SHOWN)) {
  const lines = stripVTControlCharacters(message).split('\n').slice(0, 6);
  console.error([`failed: ${name}`, ...lines.map((line) => `        ${line}`)].join('\n'));
}
if (failures.length > SHOWN) console.error(`failed: ${failures.length - SHOWN} more`);
console.log(report.numPassedTests, failures.length, ...failedFiles.map((file) => file.name));
