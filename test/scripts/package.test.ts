import { expect, test } from 'vitest';
import { unexpectedLine } from '../../scripts/steps/package.ts';

const good = `> pkg@6.23.0
> Extracting node binary from node-v24.21.0-linux-arm64.tar.gz
> Creating sea-config.json file...
> Generating the blob...
> Creating executable for node24.21.0-linux-arm64....
> Injecting the blob into /some where/vrypt-server...
`;

test('what pkg prints on a good run is accepted', () => {
  expect(unexpectedLine(good)).toBeUndefined();
});

test.each([
  '> Warning Executable already exists, will be overwritten',
  "warning: Can't find string offset for section name '.note'",
  '> Downloading nodejs executable from somewhere...',
  '(node:1) ExperimentalWarning: Single executable application',
])('any other line is a failure: %s', (line) => {
  expect(unexpectedLine(`${good}${line}\n`)).toBe(line);
});
