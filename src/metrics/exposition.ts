/** Metrics as Prometheus reads them: text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/. */
import { BUCKETS, type Totals } from './shared-metrics.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface UpstreamMetrics {
  readonly backend: string;
  readonly upstream: string;
  /** The part of all workers that give it requests, from 0 to 1. */
  readonly healthy: number;
  readonly requests: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly active: number;
}

export interface ApplicationMetrics {
  readonly application: string;
  readonly isUp: boolean;
  readonly restarts: number;
  /** Bytes, with all that it has started. */
  readonly memory: number;
  readonly cpuSeconds: number;
  readonly processes: number;
}

export interface Exposed {
  readonly totals: Totals;
  readonly workers: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
  readonly upstreams: readonly UpstreamMetrics[];
  readonly applications: readonly ApplicationMetrics[];
}

export class Exposition {
  #text = '';

  metric(name: string, type: 'counter' | 'gauge' | 'histogram', help: string): void {
    this.#text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  }

  sample(name: string, labels: Readonly<Record<string, string | number>>, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`);
    this.#text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
  }

  get text(): string {
    return this.#text;
  }
}

export function expose({ totals, workers, startedAt, upstreams, applications }: Exposed): string {
  const out = new Exposition();
  out.metric('http_requests_total', 'counter', 'Requests, by method and status; status 0: without an answer.');
  for (const { method, status, count } of totals.requests) out.sample('http_requests_total', { method, status }, count);
  out.metric('http_requests_by_version_total', 'counter', 'The same, by version of HTTP.');
  for (const { version, count } of totals.versions) out.sample('http_requests_by_version_total', { version }, count);
  out.metric(
    'http_request_duration_seconds',
    'histogram',
    'From the head of a request to the last byte of its answer.',
  );
  for (const [index, count] of totals.cumulative.entries()) {
    out.sample('http_request_duration_seconds_bucket', { le: BUCKETS[index] ?? '+Inf' }, count);
  }
  out.sample('http_request_duration_seconds_sum', {}, totals.seconds);
  out.sample('http_request_duration_seconds_count', {}, totals.cumulative.at(-1) ?? 0);
  out.metric('http_response_size_bytes_total', 'counter', 'Content sent.');
  out.sample('http_response_size_bytes_total', {}, totals.bytes);
  out.metric(
    'http_requests_aborted_total',
    'counter',
    'Requests whose client left, or whose answer could not be completed.',
  );
  out.sample('http_requests_aborted_total', {}, totals.aborted);
  out.metric('http_connections', 'gauge', 'Connections of clients.');
  out.sample('http_connections', {}, totals.connections);
  out.metric('vrypt_workers', 'gauge', 'Event loops.');
  out.sample('vrypt_workers', {}, workers);
  out.metric('process_start_time_seconds', 'gauge', 'Start of the process, in seconds since 1970.');
  out.sample('process_start_time_seconds', {}, startedAt);
  out.metric('process_resident_memory_bytes', 'gauge', 'Resident memory.');
  out.sample('process_resident_memory_bytes', {}, process.memoryUsage.rss());
  const { user, system } = process.cpuUsage();
  out.metric('process_cpu_seconds_total', 'counter', 'CPU time of the process.');
  out.sample('process_cpu_seconds_total', {}, (user + system) / 1e6);
  if (upstreams.length > 0) exposeUpstreams(out, upstreams);
  if (applications.length > 0) exposeApplications(out, applications);
  return out.text;
}

function exposeUpstreams(out: Exposition, upstreams: readonly UpstreamMetrics[]): void {
  out.metric('vrypt_upstream_healthy', 'gauge', 'Part of the workers that give requests to the upstream, from 0 to 1.');
  for (const { backend, upstream, healthy } of upstreams) {
    out.sample('vrypt_upstream_healthy', { backend, upstream }, healthy);
  }
  out.metric('vrypt_upstream_requests_total', 'counter', 'Requests given to the upstream, further attempts included.');
  for (const { backend, upstream, requests } of upstreams) {
    out.sample('vrypt_upstream_requests_total', { backend, upstream }, requests);
  }
  out.metric('vrypt_upstream_active_requests', 'gauge', 'Requests under way, and WebSockets.');
  for (const { backend, upstream, active } of upstreams) {
    out.sample('vrypt_upstream_active_requests', { backend, upstream }, active);
  }
  out.metric('vrypt_upstream_failures_total', 'counter', 'Attempts that failed, by reason.');
  for (const { backend, upstream, failures } of upstreams) {
    for (const [reason, count] of Object.entries(failures)) {
      if (count > 0) out.sample('vrypt_upstream_failures_total', { backend, upstream, reason }, count);
    }
  }
}

function exposeApplications(out: Exposition, applications: readonly ApplicationMetrics[]): void {
  const all = (name: string, type: 'counter' | 'gauge', help: string, pick: (one: ApplicationMetrics) => number) => {
    out.metric(name, type, help);
    for (const one of applications) out.sample(name, { application: one.application }, pick(one));
  };
  all('vrypt_application_up', 'gauge', '1 if the application can serve.', ({ isUp }) => (isUp ? 1 : 0));
  all('vrypt_application_restarts_total', 'counter', 'Starts after it had ended.', ({ restarts }) => restarts);
  all(
    'vrypt_application_memory_bytes',
    'gauge',
    'Resident memory, with all that it has started.',
    ({ memory }) => memory,
  );
  all('vrypt_application_cpu_seconds_total', 'counter', 'CPU time, in the same way.', ({ cpuSeconds }) => cpuSeconds);
  all('vrypt_application_processes', 'gauge', 'Processes, in the same way.', ({ processes }) => processes);
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
