/** What must hold for every workflow beyond GitHub's schema and actionlint; each broken rule is a sentence with its value. */
import { parse } from 'yaml';

export interface Step {
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
  if?: string;
  'continue-on-error'?: unknown;
}

export interface Job {
  needs?: string | string[];
  'runs-on'?: string;
  outputs?: Record<string, string>;
  permissions?: Record<string, string> | string;
  environment?: string;
  env?: Record<string, string>;
  strategy?: { matrix?: unknown };
  'timeout-minutes'?: number;
  'continue-on-error'?: unknown;
  steps: Step[];
}

export interface Workflow {
  on?: unknown;
  permissions?: unknown;
  defaults?: unknown;
  concurrency?: unknown;
  env?: Record<string, string>;
  jobs: Record<string, Job>;
}

/** Jobs that may write anything. Every other one reads. */
const writers: Readonly<Record<string, readonly string[]>> = {
  'release.yml attest': ['id-token', 'attestations'],
  'release.yml draft': ['contents'],
  'release.yml publish': ['contents'],
  'runtimes.yml build': ['id-token', 'attestations'],
};

/** Where a secret may be read: in one step of a job that only its environment lets run. */
const secrets: Readonly<Record<string, string>> = { MINISIGN_KEY: 'release.yml sign' };
const environments: Readonly<Record<string, string>> = {
  'release.yml sign': 'signing',
  'release.yml publish': 'release',
};

/** `pull_request_target` and `workflow_run` give a stranger's code our rights. */
const triggers = ['push', 'pull_request', 'workflow_dispatch', 'schedule'];
const longestMinutes = 240;

export function workflowFaults(file: string, text: string): string[] {
  const workflow = parse(text) as Workflow;
  const faults: string[] = [];
  const must = (holds: boolean, rule: string, got: unknown): void => {
    if (!holds) faults.push(`${rule}, got ${typeof got === 'string' ? got : (JSON.stringify(got) ?? 'nothing')}`);
  };
  const { permissions, defaults, concurrency, on, env = {}, jobs } = workflow;
  must(JSON.stringify(permissions) === '{}', 'the workflow must have no permissions of its own ({})', permissions);
  must(
    JSON.stringify(defaults) === '{"run":{"shell":"bash"}}',
    'scripts must run in bash, which adds pipefail',
    defaults,
  );
  must(concurrency !== undefined, 'the workflow must have a concurrency group', concurrency);
  for (const trigger of Object.keys((on ?? {}) as object)) {
    must(triggers.includes(trigger), `a workflow must start by ${triggers.join(', ')}`, trigger);
  }
  must(
    Object.values(env).every((value) => !value.includes('secrets.')),
    'no job but its own may have a secret',
    env,
  );
  for (const line of lines(text, /\buses:/))
    must(/ # v\d+\.\d+\.\d+$/.test(line), 'an action must say its version in a comment', line);
  for (const line of lines(text, /^ +image:/))
    must(/@sha256:[0-9a-f]{64}$/.test(line), 'an image must have a digest', line);
  for (const [name, job] of Object.entries(jobs)) faults.push(...jobFaults(`${file} ${name}`, job));
  return faults;
}

function jobFaults(name: string, job: Job): string[] {
  const faults: string[] = [];
  const must = (holds: boolean, rule: string, got: unknown): void => {
    if (!holds)
      faults.push(`${name}: ${rule}, got ${typeof got === 'string' ? got : (JSON.stringify(got) ?? 'nothing')}`);
  };
  const { permissions, env = {}, steps } = job;
  const isMap = typeof permissions === 'object' && permissions !== null;
  must(isMap, 'must say its permissions one by one', permissions);
  for (const [what, level] of Object.entries(isMap ? permissions : {})) {
    must(level === 'read' || (writers[name] ?? []).includes(what), 'must only read', `${what}: ${level}`);
  }
  const minutes = job['timeout-minutes'];
  must(
    minutes !== undefined && minutes > 0 && minutes <= longestMinutes,
    `must have a timeout of 1 to ${longestMinutes} minutes`,
    minutes,
  );
  const machine = job['runs-on'] ?? '';
  must(
    /^ubuntu-\d\d\.\d\d(-arm)?$|^\$\{\{ matrix\.runner \}\}$/.test(machine),
    'must run on a machine with a version',
    machine,
  );
  must(
    job.environment === environments[name],
    `must have the environment ${environments[name] ?? 'nothing'}`,
    job.environment,
  );
  must(job['continue-on-error'] === undefined, 'must fail when it fails', 'continue-on-error');
  const usesNpm = steps.some(({ run = '' }) => /\bnpm\b/.test(run));
  must(
    !usesNpm || env['GH_TOKEN'] === undefined,
    "packages of npm must not see GitHub's token",
    'GH_TOKEN for the whole job',
  );
  must(!Object.values(env).some((value) => value.includes('secrets.')), 'a secret must be seen by one step only', env);
  for (const step of steps) {
    const { uses, run = '', env: its = {} } = step;
    must(step['continue-on-error'] === undefined, 'a step must fail when it fails', run || uses);
    must(
      uses === undefined || /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(uses),
      'an action must be pinned to a commit',
      uses,
    );
    must(!/\$\{\{/.test(run), 'a script must take values from the environment', run.trim());
    must(
      !/\b(curl|wget)\b[^\n]*\|\s*(sudo )?(ba|da)?sh\b/.test(run),
      'a script must not run what it downloads',
      run.trim(),
    );
    if (uses?.startsWith('actions/checkout@')) {
      must(step.with?.['persist-credentials'] === false, 'checkout must not leave its token behind', step.with);
    }
    if (uses?.startsWith('actions/upload-artifact@') && step.if === undefined) {
      must(step.with?.['if-no-files-found'] === 'error', 'an upload of nothing must fail', step.with);
    }
    for (const value of [...Object.values(its), ...Object.values(step.with ?? {})]) {
      for (const [, secret = ''] of String(value).matchAll(/secrets\.(\w+)/g)) {
        must(secrets[secret] === name, 'must not have a secret', secret);
      }
    }
    must(!/secrets\./.test(run), 'a script must not name a secret', run.trim());
  }
  return faults;
}

function lines(text: string, pattern: RegExp): string[] {
  return text
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => line.trim());
}
