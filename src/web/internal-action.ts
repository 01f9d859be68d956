/** Pages of the server itself: metrics, health, readiness, and a status page for people. */
import { createHash } from 'node:crypto';
import type { Call } from '../engine/call.ts';
import { Answer } from '../http/answer.ts';
import { json, reply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import { type ApplicationMetrics, EXPOSITION_TYPE, expose, type UpstreamMetrics } from '../metrics/exposition.ts';
import { totalsOf } from '../metrics/shared-metrics.ts';
import { STATUS_PAGE } from '../metrics/status-page.ts';
import { processUse } from '../processes/process-use.ts';
import type { AnswerShape } from './answer-shape.ts';
import { readApplications } from './application-cells.ts';
import type { InternalPage } from './config/web-config.ts';
import type { Action, Where } from './route.ts';
import { upstreamTotals } from './upstream-totals.ts';
import type { WebApp, WebPlace } from './web-app.ts';

const NO_STORE = ['Cache-Control', 'no-store'] as const;
const STARTED_AT = Date.now() / 1000 - process.uptime();

export class InternalAction implements Action {
  readonly #page: InternalPage;
  readonly #place: WebPlace;
  readonly #app: WebApp;

  constructor(page: InternalPage, place: WebPlace, app: WebApp) {
    this.#page = page;
    this.#place = place;
    this.#app = app;
  }

  answer(call: Call, where: Where, shape: AnswerShape): Reply {
    if (call.method !== 'GET' && call.method !== 'HEAD') return shape.error(405, [['Allow', 'GET, HEAD']]);
    switch (this.#page) {
      case 'metrics':
        return reply(200, [['Content-Type', EXPOSITION_TYPE], NO_STORE], this.#metrics());
      case 'health':
        return reply(200, [['Content-Type', 'text/plain'], NO_STORE], 'ok\n');
      case 'ready':
        return this.#ready();
      case 'status':
        return where.query === 'json' ? json(this.#status(), 200, [NO_STORE]) : statusPage();
    }
  }

  close(): void {}

  #metrics(): string {
    const { shared } = this.#place;
    return expose({
      totals: totalsOf(shared.metrics),
      workers: shared.workers,
      startedAt: STARTED_AT,
      upstreams: this.#upstreams(),
      applications: this.#applications(),
    });
  }

  /** False while draining, and when a backend has nobody left. */
  #ready(): Reply {
    const fields = [['Content-Type', 'text/plain'] as const, NO_STORE];
    if (this.#place.isDraining()) return reply(503, fields, 'draining\n');
    for (const [name, proxy] of this.#app.proxies) {
      const isServed = proxy.states().some(({ isHealthy, isDraining }) => isHealthy && !isDraining);
      if (!isServed) return reply(503, fields, `no upstream of ${name} is healthy\n`);
    }
    return reply(200, fields, 'ready\n');
  }

  #status(): object {
    const { shared } = this.#place;
    const { requests, bytes, connections } = totalsOf(shared.metrics);
    return {
      time: Date.now(),
      uptime: process.uptime(),
      workers: shared.workers,
      memory: process.memoryUsage.rss(),
      connections,
      bytes,
      requests: requests.reduce((sum, { count }) => sum + count, 0),
      byStatus: requests,
      upstreams: this.#upstreams(),
      applications: this.#applications(),
    };
  }

  #upstreams(): UpstreamMetrics[] {
    const { upstreams, workers } = this.#place.shared;
    this.#app.publish();
    return upstreamTotals(upstreams, workers, this.#app.proxies);
  }

  #applications(): ApplicationMetrics[] {
    const states = readApplications(this.#place.shared.applications, this.#app.config);
    return states.map(({ name, pid, restarts, isUp }) => ({ application: name, restarts, isUp, ...processUse(pid) }));
  }
}

let page: Answer | null = null;

/** Runs nothing but its own script, and may be in no frame. */
function statusPage(): Reply {
  const [, script = ''] = /<script>([\s\S]*)<\/script>/.exec(STATUS_PAGE) ?? [];
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'`;
  const fields = [
    ['Content-Type', 'text/html; charset=utf-8'] as const,
    ['Content-Security-Policy', policy] as const,
    NO_STORE,
  ];
  page ??= new Answer(200, fields, STATUS_PAGE);
  return page;
}
